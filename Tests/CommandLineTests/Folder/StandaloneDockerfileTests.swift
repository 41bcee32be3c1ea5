import Testing

@testable import CommandLine

@Suite("A Dockerfile that needs nothing but its folder")
struct StandaloneDockerfileTests {
    @Test("Arguments become defaults in every stage, variables part of the image; nothing else changes")
    func rewritten() {
        let text = """
            FROM a AS b
            ARG ADDITIONAL_PACKAGE=""
            arg INDEX
            RUN echo ARG INDEX
            FROM c
            ARG ADDITIONAL_PACKAGE
            ARG A B
            """

        let result = StandaloneDockerfile.rewritten(
            Array(text.utf8), arguments: ["ADDITIONAL_PACKAGE": "jq libpq5", "INDEX": "a\"$b\\", "A": "1"],
            variables: ["NAME": "x\ny", "fprocess": "bash handler.sh"])

        #expect(
            String(decoding: result, as: UTF8.self) == """
                FROM a AS b
                ARG ADDITIONAL_PACKAGE="jq libpq5"
                ARG INDEX="a\\"\\$b\\\\"
                RUN echo ARG INDEX
                FROM c
                ARG ADDITIONAL_PACKAGE="jq libpq5"
                ARG A B
                # What the function's settings say.
                ENV NAME="x y"
                ENV fprocess="bash handler.sh"

                """)
    }

    @Test("Without either it stays as it is, whatever it holds")
    func untouched() {
        let bytes: [UInt8] = [0xFF, 0x0A, 0x00]

        #expect(StandaloneDockerfile.rewritten(bytes, arguments: [:], variables: [:]) == bytes)
        #expect(StandaloneDockerfile.rewritten(bytes, arguments: ["A": "b"], variables: [:]) == bytes)
    }
}
