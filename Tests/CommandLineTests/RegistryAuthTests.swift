import Commands
import Testing

@testable import Builds
@testable import CommandLine

@Suite("farebox registry-auth", .timeLimit(.minutes(10)))
struct RegistryAuthTests {
    /// Types the command on a machine with a helper that knows `b.example` alone.
    private func type(
        _ words: [String], config: String?
    ) async throws -> (output: String, errors: String, code: Int32) {
        let place = try ScratchPlace()
        if let config { try place.write(config, to: ".docker/config.json") }
        try place.write("", to: "bin/empty")
        // By another process: what this one has open for writing, nobody could run while another test begins a child.
        let made = try await ChildProcess(
            program: "/bin/sh",
            arguments: [
                "-c", #"printf '%s' "$1" > "$2" && chmod 700 "$2""#, "sh", Self.helper,
                place.path + "/bin/docker-credential-fake",
            ],
            environment: [:], workingDirectory: "/", timeout: .seconds(120)
        ).run()
        #expect(made.status == 0)
        let done = await typed(
            ["registry-auth"] + words, ["HOME": place.path, "PATH": place.path + "/bin:/usr/bin:/bin"])
        withExtendedLifetime(place) {}
        return done
    }

    private static let helper = """
        #!/bin/sh
        read -r registry
        test "$registry" = b.example || { echo credentials not found in native keychain; exit 1; }
        echo '{"Username":"bob","Secret":"from-the-helper"}'

        """

    private static let mixed =
        #"{"auths":{"a.example":{"auth":"dTpw"}},"credHelpers":{"b.example":"fake","c.example":"fake"}}"#

    @Test("What the file holds and what helpers keep comes out as one file that needs neither")
    func all() async throws {
        let (output, _, code) = try await type([], config: Self.mixed)

        let read = try RegistryCredentials(dockerConfig: Array(output.utf8))

        #expect(code == 0)
        #expect(try read.login(for: ImageReference(parsing: "a.example/x:1"))?.password == "p")
        #expect(
            try read.login(for: ImageReference(parsing: "b.example/x:1"))
                == RegistryCredentials.Login(username: "bob", password: "from-the-helper"))
        #expect(try read.login(for: ImageReference(parsing: "c.example/x:1")) == nil)
    }

    @Test("Only what is named comes out")
    func named() async throws {
        let (output, _, code) = try await type(["b.example"], config: Self.mixed)

        #expect(code == 0)
        #expect(output.contains("b.example") && !output.contains("a.example"))
    }

    @Test(
        "Whoever is not logged in learns so, and no password is told on the way",
        arguments: [
            (["c.example"], mixed, Int32(3), "c.example"), (["d.example"], mixed, 3, "docker login"),
            ([], nil, 3, "config.json"),
            ([], "{}", 3, "no login"), ([], "nonsense", 1, "config.json"),
            ([], #"{"auths":{"a.example":{}},"credsStore":"absent"}"#, 1, "docker-credential-absent"),
            ([], #"{"auths":{"a.example":{}},"credsStore":"../fake"}"#, 1, "no name"),
        ])
    func nobody(words: [String], config: String?, code: Int32, text: String) async throws {
        let done = try await type(words, config: config)

        #expect(done.code == code, "\(done.errors)")
        #expect(done.errors.contains(text), "\(done.errors)")
        #expect(done.output.isEmpty)
    }

    @Test("Passwords do not go to a terminal")
    func terminal() async throws {
        let recorded = Console(isTerminal: true) { _, _ in }

        await #expect(throws: UsageError.self) { try await RegistryAuthCommand.run(Options(), recorded) }
    }
}
