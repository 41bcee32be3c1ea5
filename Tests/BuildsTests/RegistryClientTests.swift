import CRDs
import Cryptography
import Glibc
import HTTP
import Testing

@testable import Builds

@Suite(
    "A registry's client",
    .enabled(if: RegistryHost.isInstalled, "needs the Debian packages docker-registry and apache2-utils"))
struct RegistryClientTests {
    private static let login = RegistryCredentials.Login(username: "farebox", password: "correct-horse")

    private func client(_ host: RegistryHost, timeout: Duration = .seconds(60)) -> RegistryClient {
        RegistryClient(
            client: HTTPClient(),
            configuration: RegistryClient.Configuration(insecureRegistries: [host.name], timeout: timeout))
    }

    private func credentials(_ host: RegistryHost, password: String) throws -> RegistryCredentials {
        let auth = Base64.encode(Array("farebox:\(password)".utf8), .standard)
        return try RegistryCredentials(
            dockerConfig: Array(#"{"auths":{"http://\#(host.name)/v1/":{"auth":"\#(auth)"}}}"#.utf8))
    }

    @Test(
        "finds the digest that was pushed, whatever its type",
        arguments: [
            ("oci", "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.config.v1+json"),
            (
                "docker", "application/vnd.docker.distribution.manifest.v2+json",
                "application/vnd.docker.container.image.v1+json"
            ),
        ])
    func finds(form: String, type: String, configType: String) async throws {
        try await RegistryHost.with(login: Self.login) { host in
            // A name of its own: the cases run side by side.
            let pushed = try await host.push("alice/\(form)", tag: "v1", type: type, configType: configType)
            let byTag = try ImageReference(parsing: "\(host.name)/alice/\(form):v1")
            let credentials = try credentials(host, password: "correct-horse")

            let found = try await client(host).digest(of: byTag, credentials: credentials)
            let confirmed = try await client(host).digest(of: byTag.pinned(to: pushed), credentials: credentials)

            #expect(found == pushed)
            #expect(confirmed == pushed)
        }
    }

    @Test("removes an image once and for all, and takes one that is gone for removed")
    func removes() async throws {
        try await RegistryHost.with(login: Self.login) { host in
            let type = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.config.v1+json")
            let digest = try await host.push("alice/shop-fn", tag: "v1", type: type.0, configType: type.1)
            let tagged = try ImageReference(parsing: "\(host.name)/alice/shop-fn:v1")
            let image = try tagged.pinned(to: digest)
            let good = try credentials(host, password: "correct-horse")

            await #expect(throws: RegistryError.denied(image)) {
                try await client(host).remove(image, credentials: try credentials(host, password: "wrong"))
            }
            try await client(host).remove(image, credentials: good)
            try await client(host).remove(image, credentials: good)

            await #expect(throws: RegistryError.notFound(tagged)) {
                try await client(host).digest(of: tagged, credentials: good)
            }
        }
    }

    @Test("says that a registry deletes nothing")
    func deletesNothing() async throws {
        try await RegistryHost.with(deletes: false) { host in
            let digest = try await host.push(
                "alice/shop-fn", tag: "v1", type: "application/vnd.oci.image.manifest.v1+json",
                configType: "application/vnd.oci.image.config.v1+json")
            let image = try ImageReference(parsing: "\(host.name)/alice/shop-fn:v1").pinned(to: digest)

            await #expect(throws: RegistryError.denied(image)) {
                try await client(host).remove(image, credentials: RegistryCredentials())
            }
        }
    }

    @Test("tells a missing image from a wrong password and from a registry that is gone")
    func failures() async throws {
        try await RegistryHost.with(login: Self.login) { host in
            let missing = try ImageReference(parsing: "\(host.name)/alice/none:v1")
            let gone = try ImageReference(parsing: "127.0.0.1:1/alice/none:v1")
            let good = try credentials(host, password: "correct-horse")
            let bad = try credentials(host, password: "wrong")

            await #expect(throws: RegistryError.notFound(missing)) {
                try await client(host).digest(of: missing, credentials: good)
            }
            await #expect(throws: RegistryError.denied(missing)) {
                try await client(host).digest(of: missing, credentials: bad)
            }
            await #expect(throws: RegistryError.denied(missing)) {
                try await client(host).digest(of: missing, credentials: RegistryCredentials())
            }
            let error = await #expect(throws: RegistryError.self) {
                try await client(host).digest(of: gone, credentials: good)
            }
            #expect(error?.failure.reason == .registryUnreachable)
        }
    }

    @Test("asks a mirror first, and the registry itself when the mirror has nothing")
    func mirror() async throws {
        try await RegistryHost.with { host in
            let digest = try await host.push(
                "library/debian", tag: "bookworm", type: "application/vnd.oci.image.manifest.v1+json",
                configType: "application/vnd.oci.image.config.v1+json")
            let client = RegistryClient(
                client: HTTPClient(),
                configuration: RegistryClient.Configuration(
                    insecureRegistries: [host.name], mirrors: ["docker.io": host.name, host.name: "127.0.0.1:1"],
                    timeout: .seconds(60)))

            let mirrored = try await client.digest(
                of: ImageReference(parsing: "debian:bookworm"), credentials: RegistryCredentials())
            let direct = try await client.digest(
                of: ImageReference(parsing: "\(host.name)/library/debian:bookworm"), credentials: RegistryCredentials())

            #expect(mirrored == digest)
            #expect(direct == digest)
        }
    }

    @Test("gives up on a registry that stalls")
    func stall() async throws {
        let silent = try Loopback.silentListener()
        defer { close(silent.descriptor) }
        let host = RegistryHost(port: silent.port, login: nil)
        let image = try ImageReference(parsing: "\(host.name)/a/b:c")

        let error = await #expect(throws: RegistryError.self) {
            try await client(host, timeout: .milliseconds(200)).digest(of: image, credentials: RegistryCredentials())
        }

        #expect(error?.failure.reason == .registryUnreachable)
    }
}

@Suite("Registry credentials")
struct RegistryCredentialsTests {
    @Test(
        "that only name a helper are refused, and the helper is named",
        arguments: [
            #"{"auths":{},"credsStore":"desktop"}"#, #"{"credHelpers":{"a.example":"desktop"}}"#,
            #"{"auths":{"a.example":{}},"credsStore":"desktop"}"#,
        ])
    func helpers(text: String) {
        let error = #expect(throws: RegistryCredentialsError.self) {
            try RegistryCredentials(dockerConfig: Array(text.utf8))
        }

        #expect(error == .onlyHelper("desktop"))
        #expect(error?.description.contains("registry-auth") == true)
    }

    @Test("beside a helper still count, and none at all is none", arguments: [#","credsStore":"desktop""#, ""])
    func beside(helper: String) throws {
        let text = #"{"auths":{"a.example":{"auth":"dTpw"}}\#(helper)}"#

        let credentials = try RegistryCredentials(dockerConfig: Array(text.utf8))

        #expect(try credentials.login(for: ImageReference(parsing: "a.example/b:1"))?.password == "p")
        #expect(try RegistryCredentials(dockerConfig: Array(#"{"auths":{}}"#.utf8)).secrets.isEmpty)
        #expect(try RegistryCredentials(dockerConfig: Array(#"{"auths":{},"credsStore":""}"#.utf8)).secrets.isEmpty)
    }

    @Test("are written as they are read, identity tokens among them, which are hidden in logs as well")
    func written() throws {
        let logins = [
            "a.example": RegistryCredentials.Login(username: "u", password: "p:q"),
            "https://index.docker.io/v1/": RegistryCredentials.Login(username: "", password: "", identityToken: "t"),
        ]

        let read = try RegistryCredentials(dockerConfig: RegistryCredentials.dockerConfig(logins))

        #expect(try read.login(for: ImageReference(parsing: "a.example/b:1")) == logins["a.example"])
        #expect(try read.login(for: ImageReference(parsing: "debian:1"))?.identityToken == "t")
        #expect(read.secrets == ["p:q", "t"])
        #expect(!"\(read)".contains("p:q"))
    }

    @Test(
        "are found under each way of writing the host",
        arguments: [
            "registry:5000", "http://registry:5000", "https://registry:5000/v2/", "REGISTRY:5000",
        ])
    func hosts(key: String) throws {
        let json = #"{"auths":{"\#(key)":{"username":"u","password":"p"}}}"#

        let credentials = try RegistryCredentials(dockerConfig: Array(json.utf8))

        let login = try credentials.login(for: ImageReference(parsing: "registry:5000/team/fn"))
        #expect(login == RegistryCredentials.Login(username: "u", password: "p"))
        #expect(try credentials.login(for: ImageReference(parsing: "other:5000/team/fn")) == nil)
    }

    @Test(
        "for a path are for what is below it, and the longest path counts",
        arguments: [
            ("registry:5000/fn", "host"), ("registry:5000/team/fn", "team"), ("registry:5000/team/a/fn", "a"),
            ("registry:5000/teams/fn", "host"), ("other:5000/team/fn", "other"), ("other:5000/teams/fn", nil),
        ])
    func paths(image: String, user: String?) throws {
        let json = """
            {"auths":{"https://registry:5000":{"username":"host","password":"p"},
                "registry:5000/team":{"username":"team","password":"p"},
                "https://registry:5000/team/a/":{"username":"a","password":"p"},
                "other:5000/team":{"username":"other","password":"p"}}}
            """

        let credentials = try RegistryCredentials(dockerConfig: Array(json.utf8))

        #expect(try credentials.login(for: ImageReference(parsing: image))?.username == user)
    }

    @Test("of Docker Hub go by several names")
    func dockerHub() throws {
        let json = #"{"auths":{"https://index.docker.io/v1/":{"auth":"dTpwOnE="}}}"#

        let credentials = try RegistryCredentials(dockerConfig: Array(json.utf8))

        let login = try credentials.login(for: ImageReference(parsing: "team/fn"))
        #expect(login == RegistryCredentials.Login(username: "u", password: "p:q"))
    }

    @Test("that are no config.json are refused", arguments: ["", "[]", "{", #"{"auths":[]}"#, #"{"auths":"x"}"#])
    func refused(text: String) {
        #expect(throws: RegistryCredentialsError.self) { try RegistryCredentials(dockerConfig: Array(text.utf8)) }
    }

    @Test(
        "with entries that say nothing have no login",
        arguments: [
            #"{"auths":{"r:1":{}}}"#, #"{"auths":{"r:1":{"auth":"%%"}}}"#, #"{"auths":{"r:1":[]}}"#, "{}",
            #"{"auths":{"r:1":{"auth":"bm9jb2xvbg=="}}}"#, #"{"auths":{"r:1":{"identitytoken":""}}}"#,
        ])
    func nothing(text: String) throws {
        let credentials = try RegistryCredentials(dockerConfig: Array(text.utf8))

        #expect(try credentials.login(for: ImageReference(parsing: "r:1/fn")) == nil)
    }

    @Test("never appear in a description")
    func description() throws {
        let json = #"{"auths":{"r:1":{"username":"user-x","password":"pass-y"}}}"#

        let credentials = try RegistryCredentials(dockerConfig: Array(json.utf8))

        let login = try credentials.login(for: ImageReference(parsing: "r:1/fn"))
        #expect(login != nil && !"\(credentials) \(login as Any)".contains("pass-y"))
        #expect(credentials.secrets == ["pass-y"])
    }

    @Test(
        "are asked for in a challenge",
        arguments: [
            ("Basic realm=\"x\"", .basic), ("basic", .basic), ("Negotiate", nil), ("", nil), ("Bearer", nil),
            (
                "Bearer realm=\"https://auth.example.com/token\",service=\"r.io\",scope=\"repository:a/b:pull\"",
                .bearer(realm: "https://auth.example.com/token", service: "r.io", scope: "repository:a/b:pull")
            ),
            (
                "bearer service=r , realm=\"https://a/t\\\"q\"",
                .bearer(realm: "https://a/t\"q", service: "r", scope: nil)
            ),
            ("Bearer realm=\"file:///etc/passwd\"", nil),
            (
                "Bearer realm=\"https://unfinished",
                .bearer(realm: "https://unfinished", service: nil, scope: nil)
            ),
            ("Bearer " + String(repeating: "a=b,", count: 2000), nil),
        ] as [(String, RegistryChallenge?)])
    func challenge(text: String, expected: RegistryChallenge?) {
        #expect(RegistryChallenge(text) == expected)
    }
}
