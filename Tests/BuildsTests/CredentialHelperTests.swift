import Glibc
import Testing

@testable import Builds

@Suite("Credential helpers of Docker", .timeLimit(.minutes(10)))
struct CredentialHelperTests {
    /// Makes a program by another process: what this one has open for writing, other tests' children may have for a moment, too,
    /// and then nobody can run it (ETXTBSY).
    private static func writeProgram(_ text: String, to path: String) async throws {
        let done = try await ChildProcess(
            program: "/bin/sh",
            arguments: ["-c", #"printf '%s' "$1" > "$2" && chmod 700 "$2""#, "sh", text, path], environment: [:],
            workingDirectory: "/", timeout: .seconds(120)
        ).run()
        #expect(done.status == 0)
    }

    /// Writes a helper and asks it.
    private func ask(
        _ script: String, registry: String = "a.example", timeout: Duration = .seconds(60)
    ) async throws -> RegistryCredentials.Login? {
        let folder = try TestFolder()
        let path = folder.path + "/docker-credential-fake"
        try await Self.writeProgram("#!/bin/sh\n" + script + "\n", to: path)
        let helper = try CredentialHelper(
            "fake", search: folder.path, environment: ["PATH": "/usr/bin:/bin", "WORD": "w"])
        let login = try await helper.login(for: registry, timeout: timeout)
        withExtendedLifetime(folder) {}
        return login
    }

    @Test("A helper is told the registry on its standard input, and its answer is a login")
    func login() async throws {
        let login = try await ask(
            #"read -r r; test "$1" = get && printf '{"ServerURL":"%s","Username":"u-%s","Secret":"%s"}' "$r" "$r" "$WORD""#
        )

        #expect(login == RegistryCredentials.Login(username: "u-a.example", password: "w"))
    }

    @Test("The user <token> stands for an identity token")
    func token() async throws {
        let login = try await ask(#"echo '{"Username":"<token>","Secret":"t"}'"#)

        #expect(login?.identityToken == "t")
    }

    @Test("A helper that has no login says so, on whichever stream", arguments: ["", " >&2"])
    func none(stream: String) async throws {
        let login = try await ask("echo 'credentials not found in native keychain'\(stream); exit 1")

        #expect(login == nil)
    }

    @Test("A failure carries the helper's words")
    func failure() async {
        await #expect(throws: CredentialHelperError.failed("fake", "the keychain is locked")) {
            try await ask("echo the keychain is locked >&2; exit 3")
        }
    }

    @Test(
        "An answer that is none is refused, whatever its size",
        arguments: ["echo nonsense", "true", #"echo '{"Username":"u"}'"#, "cat /dev/zero"])
    func strange(script: String) async {
        await #expect(throws: CredentialHelperError.strange("fake")) { try await ask(script) }
    }

    @Test("One that waits for ever is not waited for")
    func slow() async {
        // What it waits for is the limit itself.
        await #expect(throws: CredentialHelperError.slow("fake")) {
            try await ask("exec sleep 1000", timeout: .milliseconds(50))
        }
    }

    @Test("One that reads nothing and one that is asked for too much end as well")
    func input() async throws {
        let login = try await ask(#"exec <&-; echo '{"Username":"u","Secret":"s"}'"#)

        #expect(login?.password == "s")
        await #expect(throws: CredentialHelperError.strange("fake")) {
            try await ask("cat", registry: String(repeating: "a", count: 5000))
        }
    }

    @Test("A name is a name and no path", arguments: ["", "../x", "a/b", "a b", String(repeating: "a", count: 200)])
    func names(name: String) {
        #expect(throws: CredentialHelperError.noName(name)) {
            try CredentialHelper(name, search: "/usr/bin", environment: [:])
        }
    }

    @Test("One that is not there is told by its name")
    func missing() {
        #expect(throws: CredentialHelperError.missing("none")) {
            try CredentialHelper("none", search: "/nowhere", environment: [:])
        }
    }

    @Test(
        "Docker's file tells where a password is",
        arguments: [
            ("a.example", DockerConfiguration.Place.file(.init(username: "u", password: "p"))),
            ("b.example", .helper("ecr-login")), ("c.example", .none),
        ])
    func places(registry: String, place: DockerConfiguration.Place) throws {
        let text =
            #"{"auths":{"a.example":{"auth":"dTpw"},"https://index.docker.io/v1/":{}},"credHelpers":{"b.example":"ecr-login"}}"#

        let configuration = try DockerConfiguration(Array(text.utf8))

        #expect(configuration.place(of: configuration.key(of: registry)) == place)
        #expect(configuration.registries == ["a.example", "b.example", "https://index.docker.io/v1/"])
        #expect(configuration.key(of: "docker.io") == "https://index.docker.io/v1/")
        #expect(configuration.key(of: "https://a.example/v2/") == "a.example")
    }

    @Test("A store for all goes before what the file holds, as for Docker; its own helper goes before both")
    func store() throws {
        let text = #"{"auths":{"a.example":{"auth":"dTpw"}},"credsStore":"desktop","credHelpers":{"b.example":"x"}}"#

        let configuration = try DockerConfiguration(Array(text.utf8))

        #expect(configuration.place(of: "a.example") == .helper("desktop"))
        #expect(configuration.place(of: "b.example") == .helper("x"))
    }
}
