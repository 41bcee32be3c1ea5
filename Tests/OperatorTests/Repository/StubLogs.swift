import HTTP
import Synchronization

/// The log API on loopback, as far as the operator uses it: keeps what is stored, unless the test says otherwise.
final class StubLogs: Sendable {
    private let server: HTTPServer
    let url: String
    private let state = State()

    private final class State: Sendable {
        let logs = Mutex<[String: [String]]>([:])
        let code = Mutex(201)
    }

    init() throws {
        let state = state
        var configuration = HTTPServerConfiguration()
        configuration.address = "127.0.0.1"
        server = HTTPServer(configuration: configuration) { request in
            let code = state.code.withLock { $0 }
            // A client that left has stored nothing.
            guard let body = try? await request.body.collect(maximumBytes: 64 << 20) else {
                return HTTPResponse(.badRequest)
            }
            guard request.method == .put, request.headers["Authorization"]?.hasPrefix("Bearer ") == true else {
                return HTTPResponse(.unauthorized)
            }
            if code < 300 {
                state.logs.withLock { $0[request.path, default: []].append(String(decoding: body, as: UTF8.self)) }
            }
            return HTTPResponse(HTTPStatus(code))
        }
        url = "http://127.0.0.1:\(try server.start())"
    }

    /// What was stored at each path, in order.
    var logs: [String: [String]] { state.logs.withLock { $0 } }

    /// Answers everything with this status from now on.
    func answer(_ code: Int) { state.code.withLock { $0 = code } }

    func stop() async { await server.shutdown(grace: .zero) }
}
