import Cryptography
import HTTP
import Synchronization
import TLS

/// A server on the loopback interface, of builds or of the REST API, that answers by a script and remembers what came.
final class FakeBuilder: Sendable {
    /// A request as it came.
    struct Received: Sendable {
        let method: HTTPMethod
        let path: String
        let query: String
        let headers: HTTPHeaders
        let body: [UInt8]
    }

    /// What to do with a request, counted from 1.
    typealias Script = @Sendable (Int, Received) -> HTTPResponse

    private let received = Mutex<[Received]>([])
    private let server: Mutex<HTTPServer?> = Mutex(nil)

    /// Listens.
    ///
    /// - Parameter identity: Speaks TLS with this certificate, too.
    init(identity: CertificateIdentity? = nil, _ script: @escaping Script) throws {
        var configuration = HTTPServerConfiguration()
        configuration.address = "127.0.0.1"
        if let identity {
            configuration.secure = SecureListener(
                port: 0, context: try TLSContext(certificates: CertificateIndex([identity]), offersHTTP2: false))
        }
        let server = HTTPServer(configuration: configuration) { [weak self] request in
            await self?.answer(request, script) ?? HTTPResponse(.serviceUnavailable)
        }
        try server.start()
        self.server.withLock { $0 = server }
    }

    var url: String { "http://127.0.0.1:\(server.withLock { $0?.port } ?? 0)" }

    var secureURL: String { "https://localhost:\(server.withLock { $0?.securePort } ?? 0)" }

    var requests: [Received] { received.withLock { $0 } }

    func stop() async {
        let server = server.withLock { server in
            defer { server = nil }
            return server
        }
        await server?.shutdown(grace: .zero)
    }

    private func answer(_ request: HTTPRequest, _ script: Script) async -> HTTPResponse {
        let body = (try? await request.body.collect(maximumBytes: 8 << 20)) ?? []
        let one = Received(
            method: request.method, path: request.path, query: request.query ?? "",
            headers: request.headers, body: body)
        let number = received.withLock { received in
            received.append(one)
            return received.count
        }
        return script(number, one)
    }

    /// An answer in lines; a nil breaks the connection.
    static func stream(_ lines: [String?], id: String? = nil) -> HTTPResponse {
        var headers = HTTPHeaders([("Content-Type", "application/x-ndjson")])
        if let id { headers.add("X-Build-Id", id) }
        return HTTPResponse(
            .ok, headers: headers,
            body: .stream { writer in
                for line in lines {
                    guard let line else { throw Broken() }
                    try await writer.write(Array((line + "\n").utf8))
                }
            })
    }

    struct Broken: Error {}
}
