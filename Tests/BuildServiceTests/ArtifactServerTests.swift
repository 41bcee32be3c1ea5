import Builds
import CRDs
import Cryptography
import Glibc
import HTTP
import Telemetry
import Testing

@testable import BuildService

@Suite("The artifact store")
struct ArtifactServerTests {
    /// A store on loopback with a folder of its own.
    private struct Store: Sendable {
        let folder: StoreFolder
        let tokens: ArtifactTokens
        let base: String
        let internalBase: String

        func send(
            _ method: HTTPMethod, _ digest: String, token: String?, body: [UInt8] = []
        ) async throws -> HTTPClientResponse {
            var headers = HTTPHeaders()
            if let token { headers.set("Authorization", "Bearer " + token) }
            return try await HTTPClient().send(
                HTTPClientRequest(
                    method, url: base + ArtifactPath.path(digest: digest), headers: headers,
                    body: method == .put ? .bytes(body) : .none))
        }
    }

    private func with(
        _ change: (inout ArtifactServerConfiguration) -> Void = { _ in },
        _ body: (Store) async throws -> Void
    ) async throws {
        let folder = try StoreFolder()
        let key = randomBytes(32)
        try folder.write(Array((Base64.encode(key, .standard) + "\n").utf8), to: "key")
        var configuration = ArtifactServerConfiguration()
        configuration.address = "127.0.0.1"
        configuration.port = 0
        configuration.internalPort = 0
        configuration.folder = folder.path + "/artifacts"
        configuration.keyPath = folder.path + "/key"
        change(&configuration)
        let server = try ArtifactServer(configuration: configuration, registry: MetricsRegistry())
        let ports = try server.start()
        let running = Task { try await server.run() }
        let store = Store(
            folder: folder, tokens: try #require(ArtifactTokens(key: key)), base: "http://127.0.0.1:\(ports.port)",
            internalBase: "http://127.0.0.1:\(ports.internalPort)")
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(store))
        } catch {
            result = .failure(error)
        }
        running.cancel()
        _ = await running.result
        try result.get()
    }

    private func digest(_ bytes: [UInt8]) -> String { SHA256.hash(of: bytes).hex }

    @Test("gives back what was stored, to the holder of its token")
    func roundTrip() async throws {
        try await with { store in
            let content = (0..<(5 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let digest = digest(content)

            let missing = try await store.send(.head, digest, token: store.tokens.write)
            let put = try await store.send(.put, digest, token: store.tokens.write, body: content)
            let again = try await store.send(.put, digest, token: store.tokens.write, body: content)
            let head = try await store.send(.head, digest, token: store.tokens.read(digest: digest))
            let get = try await store.send(.get, digest, token: store.tokens.read(digest: digest))

            #expect(missing.status == .notFound)
            #expect(put.status == .created)
            #expect(again.status == .ok)
            #expect(head.status == .ok)
            #expect(head.headers["Content-Length"] == String(content.count))
            #expect(get.status == .ok)
            #expect(get.body == content)
        }
    }

    @Test("tells nobody anything without the right token")
    func tokens() async throws {
        try await with { store in
            let content: [UInt8] = [1, 2, 3]
            let digest = digest(content)
            let other = self.digest([4])
            _ = try await store.send(.put, digest, token: store.tokens.write, body: content)
            let wrong: [String?] = [
                nil, "", "x", store.tokens.read(digest: other), store.tokens.read(digest: digest) + "x",
            ]

            for token in wrong {
                #expect(try await store.send(.get, digest, token: token).status == .unauthorized)
                #expect(try await store.send(.head, other, token: token).status != .ok)
                #expect(try await store.send(.put, digest, token: token, body: content).status == .unauthorized)
            }
            let reader = store.tokens.read(digest: digest)
            #expect(try await store.send(.put, digest, token: reader, body: content).status == .unauthorized)
        }
    }

    @Test("keeps nothing whose content is not what its name says")
    func wrongDigest() async throws {
        try await with { store in
            let digest = digest([1, 2, 3])

            let put = try await store.send(.put, digest, token: store.tokens.write, body: [1, 2, 4])
            let head = try await store.send(.head, digest, token: store.tokens.write)

            #expect(put.status == .unprocessableContent)
            #expect(head.status == .notFound)
            #expect(store.folder.names(in: "artifacts").isEmpty)
        }
    }

    @Test("refuses what is too large, and what no longer fits")
    func limits() async throws {
        try await with({
            $0.artifactBytesMaximum = 1000
            $0.totalBytesMaximum = 1500
        }) { store in
            let large = [UInt8](repeating: 1, count: 1001)
            let first = [UInt8](repeating: 2, count: 1000)
            let second = [UInt8](repeating: 3, count: 1000)

            let tooLarge = try await store.send(.put, digest(large), token: store.tokens.write, body: large)
            let fits = try await store.send(.put, digest(first), token: store.tokens.write, body: first)
            let full = try await store.send(.put, digest(second), token: store.tokens.write, body: second)

            #expect(tooLarge.status == .contentTooLarge)
            #expect(fits.status == .created)
            #expect(full.status.code == 507, "the first one is protected: its build may not have begun")
            #expect(store.folder.names(in: "artifacts").count == 1)
        }
    }

    @Test(
        "knows no other paths and methods",
        arguments: [
            "/", "/artifacts", "/artifacts/", "/artifacts/sha256-00.tar", "/artifacts/../key",
            "/artifacts/%2e%2e/key", "/artifacts/sha256-" + String(repeating: "0", count: 63) + "/.tar",
            "/artifacts/sha256-" + String(repeating: "A", count: 64) + ".tar", "/healthz", "/metrics",
        ])
    func paths(path: String) async throws {
        try await with { store in
            let headers = HTTPHeaders([("Authorization", "Bearer " + store.tokens.write)])

            let answer = try await HTTPClient().send(
                HTTPClientRequest(.get, url: store.base + path, headers: headers))

            #expect(answer.status == .notFound || answer.status == .badRequest)
        }
    }

    @Test("answers health and metrics on the internal port only")
    func internalPort() async throws {
        try await with { store in
            let client = HTTPClient()
            _ = try await store.send(.head, digest([]), token: nil)

            let health = try await client.send(HTTPClientRequest(.get, url: store.internalBase + "/healthz"))
            let ready = try await client.send(HTTPClientRequest(.get, url: store.internalBase + "/readyz"))
            let metrics = try await client.send(HTTPClientRequest(.get, url: store.internalBase + "/metrics"))
            let deleted = try await store.send(.delete, digest([]), token: store.tokens.write)

            #expect(health.status == .ok)
            #expect(ready.status == .ok)
            #expect(
                String(decoding: metrics.body, as: UTF8.self)
                    .contains(#"farebox_artifacts_requests_total{method="HEAD",code="401"} 1"#))
            #expect(deleted.status == .methodNotAllowed)
        }
    }

    @Test("is used by its client: stored once, and a wrong key is told")
    func client() async throws {
        try await with { store in
            let content: [UInt8] = Array("a context".utf8)
            try store.folder.write(content, to: "context.tar")
            let path = store.folder.path + "/context.tar"
            let client = ArtifactClient(client: HTTPClient(), baseURL: store.base + "/", tokens: store.tokens)
            let stranger = ArtifactClient(
                client: HTTPClient(), baseURL: store.base,
                tokens: try #require(ArtifactTokens(key: [UInt8](repeating: 0, count: 32))))
            let nowhere = ArtifactClient(client: HTTPClient(), baseURL: "http://127.0.0.1:1", tokens: store.tokens)

            try await client.store(path: path, digest: digest(content))
            try await client.store(path: path, digest: digest(content))
            let get = try await store.send(.get, digest(content), token: client.readToken(digest: digest(content)))

            #expect(get.body == content)
            for client in [stranger, nowhere] {
                let failure = await #expect(throws: BuildFailure.self) {
                    try await client.store(path: path, digest: digest(content))
                }
                #expect(failure?.reason == .artifactStoreUnavailable)
            }
        }
    }

    @Test("does not start with a key or a configuration that cannot be")
    func start() throws {
        let folder = try StoreFolder()
        var configuration = ArtifactServerConfiguration()
        configuration.folder = folder.path + "/artifacts"
        configuration.keyPath = folder.path + "/key"
        func start() throws { _ = try ArtifactServer(configuration: configuration, registry: MetricsRegistry()) }

        #expect(throws: ArtifactServerError.self) { try start() }
        try folder.write(Array("c2hvcnQ=".utf8), to: "key")
        #expect(throws: ArtifactServerError.self) { try start() }
        try folder.write(Array(Base64.encode(randomBytes(32), .standard).utf8), to: "key")
        try start()
        configuration.retention = "soon"
        #expect(throws: ArtifactServerError.self) { try start() }
    }
}

@Suite("Retention of artifacts")
struct ArtifactLimitsTests {
    private let limits = ArtifactLimits(
        artifactBytesMaximum: 100, totalBytesMaximum: 100, retention: .seconds(1000), protection: .seconds(10))

    private func entry(_ name: String, _ size: Int, _ seconds: Int) -> ArtifactLimits.Entry {
        ArtifactLimits.Entry(name: name, sizeBytes: size, age: .seconds(seconds))
    }

    @Test("removes what is too old, then the least recently used until the rest fits")
    func choice() {
        let entries = [
            entry("old", 1, 1000), entry("unused", 50, 500), entry("used", 40, 100), entry("fresh", 40, 5),
        ]

        #expect(limits.entriesToDelete(from: entries).map(\.name) == ["old", "unused"])
        #expect(limits.entriesToDelete(from: entries, incoming: 50).map(\.name) == ["old", "unused", "used"])
        #expect(limits.entriesToDelete(from: [entry("a", 60, 9), entry("b", 60, 9)]).isEmpty)
        #expect(limits.entriesToDelete(from: [entry("a", 50, 20), entry("b", 50, 20)]).isEmpty)
    }
}

/// A folder of one test, gone when the test is.
final class StoreFolder: Sendable {
    let path: String

    init() throws {
        path = "/tmp/farebox-test-" + Hex.encode(randomBytes(8))
        try #require(mkdir(path, 0o700) == 0)
    }

    deinit {
        for folder in ["artifacts", ""] {
            for name in names(in: folder) { unlink("\(path)/\(folder)/\(name)") }
            rmdir("\(path)/\(folder)")
        }
    }

    func write(_ bytes: [UInt8], to name: String) throws {
        let file = try #require(fopen(path + "/" + name, "w"))
        defer { fclose(file) }
        #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
    }

    func names(in folder: String) -> [String] {
        guard let handle = opendir(path + "/" + folder) else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
