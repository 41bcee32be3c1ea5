import Archive
import CRDs
import Cryptography
import HTTP
import JSON
import Synchronization
import Testing

@testable import Builds

@Suite("Runtimes from afar")
struct RuntimeSourceTests {
    private static let layerType = "application/vnd.oci.image.layer.v1.tar+gzip"
    private static let login = RegistryCredentials.Login(username: "farebox", password: "correct-horse")

    @Test("come from a pinned commit of a real Git host")
    func git() async throws {
        try await GitHost.with { host in
            let commit = try await host.commit { folder in
                try folder.write("FROM debian", to: "work/template/ruby/Dockerfile")
                try folder.write("language: ruby", to: "work/template/ruby/template.yml")
                try folder.write("x", to: "work/README.md")
            }
            try await host.commit { try $0.write("FROM changed", to: "work/template/ruby/Dockerfile") }
            var configuration = GitConfiguration()
            configuration.allowsPlainHTTP = true
            configuration.allowsPrivateAddresses = true
            configuration.scratchFolder = host.folder.path
            configuration.stallTimeout = .seconds(120)

            let found = try await GitCheckout(configuration: configuration).withTree(
                commit: commit, branch: "main", url: try GitURL(host.url, allowsPlainHTTP: true), credentials: nil
            ) { try await RuntimeTree().read($0, path: "", source: "git") }

            #expect(found.problems == [])
            #expect(found.runtimes.map(\.name) == ["ruby"])
            #expect(found.runtimes.first?.files.first?.bytes == Array("FROM debian".utf8))
        }
    }

    @Test(
        "come from an artifact of a real registry with a password",
        .enabled(if: RegistryHost.isInstalled, "needs the Debian packages docker-registry and apache2-utils"))
    func artifact() async throws {
        try await RegistryHost.with(login: Self.login) { host in
            let layer = try Self.layer([("ruby/Dockerfile", "FROM debian"), ("ruby/template.yml", "language: ruby")])
            let name = "farebox/runtimes"
            let config = try await host.pushBlob(name, Array("{}".utf8), type: "application/vnd.oci.empty.v1+json")
            let blob = try await host.pushBlob(name, layer, type: Self.layerType)
            let odd = try await host.pushBlob(name, Array("text".utf8), type: "text/plain")
            let good = try await host.pushManifest(name, tag: "good", config: config, layers: [blob])
            let bad = try await host.pushManifest(name, tag: "bad", config: config, layers: [odd])
            let empty = try await host.pushManifest(name, tag: "empty", config: config, layers: [])
            let client = RegistryClient(
                client: HTTPClient(),
                configuration: RegistryClient.Configuration(insecureRegistries: [host.name], timeout: .seconds(60)))
            let auth = Base64.encode(Array("farebox:correct-horse".utf8), .standard)
            let credentials = try RegistryCredentials(
                dockerConfig: Array(#"{"auths":{"\#(host.name)":{"auth":"\#(auth)"}}}"#.utf8))
            func fetch(_ digest: String) async throws -> [[UInt8]] {
                try await client.artifact(
                    ImageReference(parsing: "\(host.name)/\(name)@\(digest)"), credentials: credentials)
            }

            let layers = try await fetch(good)
            let found = try await RuntimeArchive().read(layers, path: "", source: "oci")

            #expect(found.runtimes.map(\.name) == ["ruby"])
            for digest in [bad, empty, SHA256.hash(of: "none").prefixed] {
                await #expect(throws: RegistryError.self, "\(digest)") { try await fetch(digest) }
            }
            await #expect(throws: RegistryError.self) {
                try await client.artifact(
                    ImageReference(parsing: "\(host.name)/\(name):good"), credentials: credentials)
            }
        }
    }

    @Test("are believed only when they have the digest, and passwords stay with the registry that asked for them")
    func redirects() async throws {
        let layer = Array("a layer".utf8)
        let seen = Mutex<[String]>([])
        let storage = try Self.server { request in
            seen.withLock { $0.append("storage \(request.target) \(request.headers["Authorization"] ?? "-")") }
            return HTTPResponse(.ok, body: .bytes(request.target == "/good" ? layer : Array("changed".utf8)))
        }
        let digest = SHA256.hash(of: layer).prefixed
        let manifest = JSONWriter().write([
            "layers": [
                ["mediaType": .string(Self.layerType), "digest": .string(digest), "size": .integer(Int64(layer.count))]
            ]
        ])
        let place = Mutex("good")
        let registry = try Self.server { request in
            seen.withLock { $0.append("registry \(request.headers["Authorization"] ?? "-")") }
            guard request.headers["Authorization"] != nil else {
                return HTTPResponse(.unauthorized, headers: HTTPHeaders([("WWW-Authenticate", "Basic realm=\"x\"")]))
            }
            if request.target.contains("/manifests/") { return HTTPResponse(.ok, body: .bytes(manifest)) }
            let location = "http://127.0.0.1:\(storage.port)/" + place.withLock { $0 }
            return HTTPResponse(.temporaryRedirect, headers: HTTPHeaders([("Location", location)]))
        }
        let name = "127.0.0.1:\(registry.port)"
        let image = try ImageReference(parsing: "\(name)/a/b@\(SHA256.hash(of: manifest).prefixed)")
        let other = try ImageReference(parsing: "\(name)/a/b@\(digest)")
        let auth = Base64.encode(Array("farebox:correct-horse".utf8), .standard)
        let credentials = try RegistryCredentials(
            dockerConfig: Array(#"{"auths":{"\#(name)":{"auth":"\#(auth)"}}}"#.utf8))
        let client = RegistryClient(
            client: HTTPClient(),
            configuration: RegistryClient.Configuration(insecureRegistries: [name], timeout: .seconds(60)))

        let layers = try await client.artifact(image, credentials: credentials)

        #expect(layers == [layer])
        #expect(seen.withLock { $0.last } == "storage /good -")
        place.withLock { $0 = "changed" }
        await #expect(throws: RegistryError.self) { try await client.artifact(image, credentials: credentials) }
        await #expect(throws: RegistryError.self) { try await client.artifact(other, credentials: credentials) }
        await registry.server.shutdown(grace: .zero)
        await storage.server.shutdown(grace: .zero)
    }

    private static func server(
        _ handler: @escaping @Sendable (HTTPRequest) async -> HTTPResponse
    ) throws -> (server: HTTPServer, port: UInt16) {
        var configuration = HTTPServerConfiguration()
        configuration.address = "127.0.0.1"
        let server = HTTPServer(configuration: configuration, handler: handler)
        return (server, try server.start())
    }

    private static func layer(_ files: [(String, String)]) throws -> [UInt8] {
        final class Sink { var bytes: [UInt8] = [] }
        let sink = Sink()
        var tar = TarWriter { sink.bytes += $0 }
        for (path, text) in files { try tar.addFile(path, bytes: Array(text.utf8)) }
        try tar.finish()
        return sink.bytes
    }
}
