import AsyncCalls
import HTTP
import Telemetry

/// Makes calls of functions through the gateway's own routes, and posts their answers.
struct FunctionCaller: CallRunner {
    private let table: DispatchTable
    private let board: RouteBoard
    private let desk: CallDesk?
    private let poster: CallbackPoster
    private let client: HTTPClient
    private let port: @Sendable () -> UInt16?
    private let timeout: Duration
    private let answerBytesMaximum: Int
    /// Calls of one function at once, where nothing says more or fewer.
    private let concurrency: Int

    /// Makes a caller.
    ///
    /// - Parameters:
    ///   - configuration: Limits.
    ///   - table: Where attempts are told apart.
    ///   - board: Where functions are.
    ///   - desk: Where calls were paid.
    ///   - port: Where this gateway takes its own calls, once it does.
    init(
        _ configuration: AsyncConfiguration, table: DispatchTable, board: RouteBoard, desk: CallDesk?,
        port: @escaping @Sendable () -> UInt16?
    ) {
        self.table = table
        self.board = board
        self.desk = desk
        self.port = port
        timeout = configuration.timeoutSpan
        concurrency = configuration.concurrency
        answerBytesMaximum = configuration.answerBytesMaximum
        poster = CallbackPoster(
            addresses: configuration.callbackAddresses, timeout: configuration.callbackTimeoutSpan)
        client = HTTPClient(
            configuration: HTTPClientConfiguration(
                proxy: .none, connectionsPerHostMaximum: configuration.underWayMaximum + 1))
    }

    func run(_ call: AsyncCall, attempt: Int) async -> CallOutcome {
        switch call.lane.kind {
        case .function: await callFunction(call, attempt)
        case .callback: await poster.post(call, attempt: attempt)
        }
    }

    /// The function's own rules; one that takes one call at a time is not sent two.
    func rules(of lane: CallLane) -> LaneRules {
        guard lane.kind == .function, let route = board.table.byObject[RouteName(lane.name, lane.namespace)] else {
            return LaneRules()
        }
        var rules = route.asyncRules?.rules ?? LaneRules()
        if let most = route.callsMaximum {
            rules.concurrency = min(rules.concurrency ?? concurrency, most)
        }
        return rules
    }

    /// A paid call that the platform could not make is given back.
    func buried(_ call: AsyncCall, after outcome: CallOutcome) {
        guard call.isPaid, call.lane.kind == .function, outcome.source == .platform else { return }
        desk?.purse(of: call.lane.objectKey)?.refund()
    }

    private func callFunction(_ call: AsyncCall, _ attempt: Int) async -> CallOutcome {
        guard let port = port() else { return CallOutcome(.cancelled) }
        let (number, ticket) = table.issue()
        defer { table.remove(number) }
        let lane = call.lane
        let request = HTTPClientRequest(
            HTTPMethod(rawValue: call.method),
            url: "http://127.0.0.1:\(port)/\(table.secret)/\(number)/\(lane.namespace)/\(lane.name)\(call.target)",
            headers: headers(of: call, attempt), body: call.body.isEmpty ? .none : .bytes(call.body), timeout: timeout)
        let begun = ContinuousClock.now
        do {
            let answer = try await client.stream(request)
            let (content, isWhole) = try await self.content(of: answer, isWanted: call.callbackURL != nil)
            var outcome = CallOutcome(.answer, status: answer.status.code, duration: .now - begun)
            outcome.retryAfter = CallOutcome.retryAfter(answer.headers["Retry-After"])
            guard let end = await ticket.outcome(), end.isCall else {
                outcome.source = .platform
                outcome.reason = "no instance of the function answered (\(answer.status.code))"
                return outcome
            }
            outcome.headers = CallHeaders.kept(of: answer.headers)
            outcome.body = content
            if !isWhole { outcome.headers.append(.init("X-Answer-Too-Large", "true")) }
            return outcome
        } catch is CancellationError {
            return CallOutcome(.cancelled)
        } catch {
            return CallOutcome(.platform, reason: "\(error)", duration: .now - begun)
        }
    }

    /// Reads an answer to its end, and keeps it where somebody wants it and it is not too large.
    private func content(of answer: HTTPClientStream, isWanted: Bool) async throws -> (bytes: [UInt8], isWhole: Bool) {
        var bytes: [UInt8] = []
        var isWhole = true
        while let piece = try await answer.next() {
            guard isWanted, isWhole else { continue }
            if bytes.count + piece.count > answerBytesMaximum {
                bytes = []
                isWhole = false
            } else {
                bytes += piece
            }
        }
        return (bytes, isWhole)
    }

    private func headers(of call: AsyncCall, _ attempt: Int) -> HTTPHeaders {
        var headers = HTTPHeaders(call.headers.map { ($0.name, $0.value) })
        if !call.host.isEmpty { headers.set("Host", call.host) }
        headers.set("X-Call-Id", call.callID)
        headers.set("X-Start-Time", call.startTime)
        headers.set("X-Request-Id", call.id)
        if attempt > 1 { headers.set("X-Retry", "\(attempt - 1)") }
        return headers
    }
}
