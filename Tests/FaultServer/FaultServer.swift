public import HTTP
import Synchronization

/// A server that fails on demand, on the wire: for what a healthy API server cannot be made to do.
///
/// It answers from a script, and relays what the script leaves to it to a real server, if it has one. The streams that
/// it relays can be cut, frozen, or ended with a line of somebody's choice.
public final class FaultServer: Sendable {
    /// What to answer; `nil` relays the request.
    public typealias Script = @Sendable (HTTPRequest) -> Reply?

    /// An answer of the script.
    public enum Reply: Sendable {
        /// This response.
        case response(HTTPResponse)
        /// A response that is sent step by step; after the last step it ends regularly.
        case steps([Step])
    }

    /// A step of an answer.
    public enum Step: Sendable {
        /// Sends text.
        case text(String)
        /// Sends nothing more, until the server stops.
        case silence
        /// Breaks the connection off.
        case cut
    }

    /// Where requests are relayed to.
    public struct Upstream: Sendable {
        let client: HTTPClient
        let url: String

        /// Relays to `url` with the identity that `client` has.
        public init(client: HTTPClient, url: String) {
            self.client = client
            self.url = url
        }
    }

    private struct State {
        var script: Script
        var requests: [HTTPRequest] = []
        var relays: [Relay] = []
    }

    private let upstream: Upstream?
    private let state: Mutex<State>
    private let gate = Gate()
    private let server: Mutex<HTTPServer?> = Mutex(nil)

    /// Starts a server on a loopback port.
    ///
    /// - Parameters:
    ///   - upstream: Where to relay to; without one, what the script leaves is answered 404.
    ///   - script: What to answer.
    public init(relayingTo upstream: Upstream? = nil, script: @escaping Script = { _ in nil }) throws {
        self.upstream = upstream
        state = Mutex(State(script: script))
        var configuration = HTTPServerConfiguration()
        configuration.address = "127.0.0.1"
        let server = HTTPServer(configuration: configuration) { [weak self] request in
            await self?.answer(request) ?? HTTPResponse(.serviceUnavailable)
        }
        try server.start()
        self.server.withLock { $0 = server }
    }

    /// The URL to reach it under.
    public var url: String { "http://127.0.0.1:\(server.withLock { $0?.port } ?? 0)" }

    /// The requests so far, in the order of their arrival.
    public var requests: [HTTPRequest] { state.withLock { $0.requests } }

    /// Answers by another script from now on.
    public func follow(_ script: @escaping Script) {
        state.withLock { $0.script = script }
    }

    /// Answers the next `count` requests that `matches` picks with `reply`, and goes on as before after that.
    public func next(_ count: Int, _ reply: Reply, where matches: @escaping @Sendable (HTTPRequest) -> Bool) {
        let left = Mutex(count)
        state.withLock { state in
            let before = state.script
            state.script = { request in
                let isPicked =
                    matches(request)
                    && left.withLock { left in
                        left -= 1
                        return left >= 0
                    }
                return isPicked ? reply : before(request)
            }
        }
    }

    /// Breaks off the watches that are being relayed.
    public func cutWatches() {
        for relay in watches() { relay.end(with: nil, isCut: true) }
    }

    /// Ends the watches that are being relayed regularly, after sending `text`.
    public func endWatches(with text: String) {
        for relay in watches() { relay.end(with: text, isCut: false) }
    }

    /// Sends nothing more on the watches that are being relayed, and does not close them.
    public func freezeWatches() {
        for relay in watches() { relay.freeze() }
    }

    /// How many watches are being relayed.
    public var watchCount: Int { watches().count }

    /// Stops the server; what is under way is cut.
    public func stop() async {
        gate.open()
        let server = server.withLock { server in
            defer { server = nil }
            return server
        }
        for relay in state.withLock({ $0.relays }) { relay.end(with: nil, isCut: true) }
        await server?.shutdown(grace: .zero)
    }

    private func watches() -> [Relay] {
        state.withLock { state in
            state.relays.removeAll { $0.isOver }
            return state.relays
        }
    }

    private func answer(_ request: HTTPRequest) async -> HTTPResponse {
        let script = state.withLock { state in
            state.requests.append(request)
            return state.script
        }
        switch script(request) {
        case .response(let response): return response
        case .steps(let steps): return play(steps)
        case nil: return await relay(request)
        }
    }

    private func play(_ steps: [Step]) -> HTTPResponse {
        let headers = HTTPHeaders([("Content-Type", "application/json")])
        return HTTPResponse(
            .ok, headers: headers,
            body: .stream { [gate] writer in
                for step in steps {
                    switch step {
                    case .text(let text): try await writer.write(Array(text.utf8))
                    case .silence: await gate.wait()
                    case .cut: throw BrokenOff()
                    }
                }
            })
    }

    private func relay(_ request: HTTPRequest) async -> HTTPResponse {
        guard let upstream else { return .text(.notFound, "the script has no answer\n") }
        do {
            let body = try await request.body.collect(maximumBytes: 4 << 20)
            var headers = HTTPHeaders()
            for name in ["Accept", "Content-Type", "User-Agent"] {
                if let value = request.headers[name] { headers.add(name, value) }
            }
            let stream = try await upstream.client.stream(
                HTTPClientRequest(
                    request.method, url: upstream.url + request.target, headers: headers,
                    body: body.isEmpty ? .none : .bytes(body), timeout: nil))
            let relay = Relay(stream, gate)
            if request.query?.contains("watch=true") == true { state.withLock { $0.relays.append(relay) } }
            var answerHeaders = stream.headers
            for name in ["Content-Length", "Transfer-Encoding", "Connection"] { answerHeaders.remove(name) }
            return HTTPResponse(stream.status, headers: answerHeaders, body: .stream { try await relay.run($0) })
        } catch {
            return .text(.badGateway, "\(error)\n")
        }
    }
}

/// Breaks an answer off.
struct BrokenOff: Error {}
