import CRDs
import Cryptography
import Glibc
import HTTP
import JSON
import Testing

@testable import Builds

/// A real registry on loopback (Debian's `docker-registry`), with or without a password.
struct RegistryHost {
    static let program = "/usr/bin/docker-registry"
    static var isInstalled: Bool { access(program, X_OK) == 0 && access("/usr/bin/htpasswd", X_OK) == 0 }

    let port: UInt16
    let login: RegistryCredentials.Login?

    var name: String { "127.0.0.1:\(port)" }

    /// Runs a registry for as long as `body` takes.
    static func with(
        login: RegistryCredentials.Login? = nil, deletes: Bool = true, _ body: (RegistryHost) async throws -> Void
    ) async throws {
        let folder = try TestFolder()
        let host = RegistryHost(port: try Loopback.freePort(), login: login)
        var configuration = """
            version: 0.1
            storage: {filesystem: {rootdirectory: \(folder.path)/data}, delete: {enabled: \(deletes)}}
            http: {addr: "\(host.name)"}

            """
        if let login {
            let table = try await ChildProcess(
                program: "/usr/bin/htpasswd", arguments: ["-Bbn", login.username, login.password],
                environment: [:], workingDirectory: folder.path, timeout: .seconds(120)
            ).run()
            try folder.write(table.output, to: "htpasswd")
            configuration += "auth: {htpasswd: {realm: test, path: \(folder.path)/htpasswd}}\n"
        }
        try folder.write(configuration, to: "config.yml")
        let server = ChildProcess(
            program: program, arguments: ["serve", folder.path + "/config.yml"], environment: ["HOME": folder.path],
            workingDirectory: folder.path, outputPath: "/dev/null", timeout: .seconds(600))
        let running = Task { try await server.run() }
        let result: Result<Void, any Error>
        do {
            try await Loopback.waitForListener(on: host.port)
            result = .success(try await body(host))
        } catch {
            result = .failure(error)
        }
        running.cancel()
        _ = await running.result
        try result.get()
    }

    /// Pushes an empty image by hand and returns the digest of its manifest.
    func push(_ repository: String, tag: String, type: String, configType: String) async throws -> String {
        let config = Array(#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#.utf8)
        return try await pushManifest(
            repository, tag: tag, type: type, config: try await pushBlob(repository, config, type: configType),
            layers: [])
    }

    /// Pushes a manifest of blobs that are there and returns its digest.
    func pushManifest(
        _ repository: String, tag: String, type: String = "application/vnd.oci.image.manifest.v1+json",
        config: JSONValue,
        layers: [JSONValue]
    ) async throws -> String {
        let manifest = JSONWriter().write([
            "schemaVersion": 2, "mediaType": .string(type), "layers": .array(layers), "config": config,
        ])
        let done = try await send(
            HTTPClient(), .put, "/v2/\(repository)/manifests/\(tag)", ["Content-Type": type], manifest)
        #expect(done.status == .created)
        return SHA256.hash(of: manifest).prefixed
    }

    /// Pushes a blob and returns what a manifest says of it.
    func pushBlob(_ repository: String, _ bytes: [UInt8], type: String) async throws -> JSONValue {
        let client = HTTPClient()
        let digest = SHA256.hash(of: bytes).prefixed
        let start = try await send(client, .post, "/v2/\(repository)/blobs/uploads/", [:], [])
        let location = try #require(start.headers["Location"])
        let url = location + (location.contains("?") ? "&" : "?") + "digest=\(digest)"
        let put = try await send(client, .put, url, ["Content-Type": "application/octet-stream"], bytes)
        #expect(put.status == .created)
        return ["mediaType": .string(type), "size": .integer(Int64(bytes.count)), "digest": .string(digest)]
    }

    private func send(
        _ client: HTTPClient, _ method: HTTPMethod, _ path: String, _ fields: [String: String], _ body: [UInt8]
    ) async throws -> HTTPClientResponse {
        var headers = HTTPHeaders()
        for (name, value) in fields { headers.set(name, value) }
        if let login { headers.set("Authorization", login.basic) }
        let url = path.hasPrefix("http") ? path : "http://\(name)\(path)"
        return try await client.send(HTTPClientRequest(method, url: url, headers: headers, body: .bytes(body)))
    }
}
