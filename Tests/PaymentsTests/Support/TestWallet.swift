import HTTP
import Synchronization

@testable import Payments

/// A wallet on loopback: it records what it is asked, and answers as wallets do unless told otherwise.
final class TestWallet: Sendable {
    typealias Script = @Sendable (HTTPRequest) async -> HTTPResponse

    private let server: HTTPServer
    private let asked = Asked()
    let port: UInt16

    private final class Asked: Sendable {
        let requests = Mutex<[HTTPRequest]>([])
    }

    init(_ script: @escaping Script = { _ in TestWallet.goodAnswer() }) throws {
        var configuration = HTTPServerConfiguration()
        configuration.address = "127.0.0.1"
        let asked = asked
        server = HTTPServer(configuration: configuration) { request in
            asked.requests.withLock { $0.append(request) }
            return await script(request)
        }
        port = try server.start()
    }

    static func goodAnswer() -> HTTPResponse {
        answer(#"{"destination_account":"g.wallet.1","shared_secret":"c2VjcmV0","receipts_enabled":true}"#)
    }

    static func answer(
        _ text: String, _ status: HTTPStatus = .ok, _ fields: [(String, String)] = []
    ) -> HTTPResponse {
        HTTPResponse(
            status, headers: HTTPHeaders([("Content-Type", "application/spsp4+json")] + fields),
            body: .bytes(Array(text.utf8)))
    }

    var requests: [HTTPRequest] { asked.requests.withLock { $0 } }

    func url(_ path: String = "/pay") -> String { "http://127.0.0.1:\(port)\(path)" }

    func stop() async { await server.shutdown(grace: .zero) }
}
