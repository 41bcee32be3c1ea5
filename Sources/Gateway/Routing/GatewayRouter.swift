import HTTP
import Telemetry

/// Finds the function that a request names, and whether the call is let through.
///
/// - `<owner>.<root>/<function>/…`: leading slashes of the path count as one, as OpenFaaS Cloud's router had it.
/// - `<function>.<owner>.<root>/…`: the function has a host, and the path, to itself.
/// - A domain that a function has to itself: the host and the path are the function's.
/// - `/function/<name>[.<namespace>]/…` on every other host, the root domain's own included; `/funko/…` and `/faaso/…` are
///   the same, for callers that come from FaaSO.
/// - `/async-function/<name>[.<namespace>]/…` on the same hosts is left to the server's handler, which takes the call on.
///
/// The function sees the rest of the path and the query exactly as they were sent. Its name is compared byte for byte,
/// escapes are not decoded: `%66n` never means `fn`, and an escaped slash never ends a name.
struct GatewayRouter: RequestRouter {
    private let board: RouteBoard
    private let metrics: GatewayMetrics
    /// A dot and the root domain in lower case; empty when owners have no hosts.
    private let rootSuffix: [UInt8]
    private let defaultNamespace: [UInt8]
    /// How long a call waits for a sleeping function, payments included.
    private let wakeLimit: Duration
    /// Where callers without TLS are sent, when they are.
    private let redirect: PlainRedirect?
    /// Whether the server's handler takes `/async-function/…`.
    private let takesAsyncCalls: Bool
    private let accessLog: AccessLog?

    init(
        board: RouteBoard, metrics: GatewayMetrics, rootDomain: String, defaultNamespace: String,
        wakeLimit: Duration = .seconds(60), redirect: PlainRedirect? = nil, takesAsyncCalls: Bool = false,
        accessLog: AccessLog? = nil
    ) {
        self.accessLog = accessLog
        self.redirect = redirect
        self.takesAsyncCalls = takesAsyncCalls
        self.board = board
        self.metrics = metrics
        rootSuffix = rootDomain.isEmpty ? [] : Array(".\(rootDomain.lowercased())".utf8)
        self.defaultNamespace = Array(defaultNamespace.utf8)
        self.wakeLimit = wakeLimit
    }

    /// How long a call waits for payments to say whether it is paid for.
    static let paymentLimit = Duration.seconds(10)

    func route(
        _ head: RequestHead, in bytes: Span<UInt8>, after gate: (any RequestGate)?, onLoop loop: Int
    ) -> RequestDecision {
        guard let host = head.host else {
            metrics.noHost.increment()
            return .refuse(.badRequest, detail: "The Host field is missing; it may name the function's owner.")
        }
        if let redirect, !head.isSecure, let location = redirect.location(of: head, in: bytes) {
            metrics.plain.increment()
            return .refuse(
                .permanentRedirect, detail: "Call by https: \(location)",
                headers: HTTPHeaders([("Location", location)]))
        }
        var segments = PathSegments(head.path)
        if let (owner, ownHost) = owner(of: host, in: bytes) {
            guard let function = ownHost ?? segments.next(in: bytes) else {
                return unknown("The path names no function.")
            }
            let ownerBytes = bytes.extracting(owner.start..<owner.end)
            let name = bytes.extracting(function.start..<function.end)
            guard ownHost != nil else {
                let route = board.read(onLoop: loop) { $0.byOwner.find(ownerBytes, name) }
                return decide(route, head, in: bytes, after: gate, prefixEnd: function.end)
            }
            let lower = Self.lowercased(name)
            let route = board.read(onLoop: loop) { $0.byOwner.find(ownerBytes, lower.span) }
            return decide(route, head, in: bytes, after: gate, prefixEnd: head.path.start)
        }
        if let route = domain(of: host, in: bytes, onLoop: loop) {
            return decide(route, head, in: bytes, after: gate, prefixEnd: head.path.start)
        }
        let first = segments.next(in: bytes)
        if takesAsyncCalls, let first, bytes.equals(first, "async-function") {
            return .handle
        }
        guard let first,
            bytes.equals(first, "function") || bytes.equals(first, "funko") || bytes.equals(first, "faaso"),
            let function = segments.next(in: bytes)
        else {
            return unknown("Call a function as /function/<name> or at its owner's host.")
        }
        return decide(
            find(function, in: bytes, onLoop: loop), head, in: bytes, after: gate, prefixEnd: function.end)
    }

    /// The function that has the whole host to itself.
    private func domain(of host: ByteRange, in bytes: Span<UInt8>, onLoop loop: Int) -> Route? {
        board.read(onLoop: loop) { table in
            guard table.byDomain.count > 0 else { return nil }
            let name = bytes.extracting(host.start..<Self.nameEnd(of: host, in: bytes))
            return table.byDomain.find(name, bytes.extracting(host.start..<host.start))
        }
    }

    /// Where a host's name ends: before the port, and before the root of the DNS where that is written.
    private static func nameEnd(of host: ByteRange, in bytes: Span<UInt8>) -> Int {
        var end = host.start
        while end < host.end, bytes[end] != UInt8(ascii: ":") {
            end += 1
        }
        // A name may be written with the root of the DNS at its end.
        if end > host.start, bytes[end - 1] == UInt8(ascii: ".") {
            end -= 1
        }
        return end
    }

    /// Looks for `<name>` or `<name>.<namespace>`.
    private func find(_ function: ByteRange, in bytes: Span<UInt8>, onLoop loop: Int) -> Route? {
        var dot = function.start
        while dot < function.end, bytes[dot] != UInt8(ascii: ".") {
            dot += 1
        }
        let name = bytes.extracting(function.start..<dot)
        if dot < function.end {
            let namespace = bytes.extracting((dot + 1)..<function.end)
            let route = board.read(onLoop: loop) { $0.byObject.find(name, namespace) }
            guard route == nil, bytes.equals(ByteRange(dot + 1, function.end), "openfaas-fn") else { return route }
            // OpenFaaS' command line says so where its user names no namespace.
        }
        return board.read(onLoop: loop) { $0.byObject.find(name, defaultNamespace.span) }
    }

    /// Routes a call that was let in before, and names its function's object.
    ///
    /// - Parameter context: Told when the call is over.
    func routeAdmitted(
        _ head: RequestHead, in bytes: Span<UInt8>, namespace: ByteRange, name: ByteRange, context: DispatchTicket,
        after gate: (any RequestGate)?, onLoop loop: Int
    ) -> RequestDecision {
        let nameBytes = bytes.extracting(name.start..<name.end)
        let namespaceBytes = bytes.extracting(namespace.start..<namespace.end)
        let route = board.read(onLoop: loop) { $0.byObject.find(nameBytes, namespaceBytes) }
        return decide(route, head, in: bytes, after: gate, prefixEnd: name.end, admitted: context)
    }

    /// Decides about a call of a function.
    ///
    /// - Parameter admitted: What is told the end of a call that was let in before.
    private func decide(
        _ route: Route?, _ head: RequestHead, in bytes: Span<UInt8>, after gate: (any RequestGate)?, prefixEnd: Int,
        admitted: DispatchTicket? = nil
    ) -> RequestDecision {
        guard let route else { return unknown("There is no function of this name.") }
        var purse: CallPurse?
        switch route.admission {
        case .open: break
        case .paid where admitted != nil: break
        case .closed(let status, let reason):
            metrics.closed.increment()
            return refuse(route, HTTPStatus(status), reason)
        case .paid(let paid, let offer):
            guard paid.take() else {
                return unpaid(route, paid, offer, head, in: bytes, after: gate)
            }
            purse = paid
        }
        if let scaling = route.scaling, scaling.isAsleep, let wake = scaling.wake {
            // It is taken out again when the function is up; who leaves meanwhile has paid for nothing.
            purse?.end(isCharged: false)
            return asleep(route, scaling, wake, head, in: bytes, isOwn: admitted != nil)
        }
        guard route.begin() else {
            purse?.end(isCharged: false)
            metrics.tooMany.increment()
            return refuse(
                route, .tooManyRequests, "As many calls of the function as it allows are under way.", retryAfter: "1")
        }
        let context: AnyObject? = if let admitted { admitted } else { purse }
        return .proxy(
            ProxyCall(
                to: route, head: head, prefixEnd: prefixEnd, silence: route.timeout, context: context,
                witness: accessLog?.entry(of: route, head, in: bytes)))
    }

    /// Decides about a call of a function that sleeps: it is woken, and the call waits.
    ///
    /// - Parameter isOwn: Whether the gateway makes the call itself, so that nobody looks at a page.
    private func asleep(
        _ route: Route, _ scaling: Route.Elasticity, _ wake: FunctionWake, _ head: RequestHead, in bytes: Span<UInt8>,
        isOwn: Bool
    ) -> RequestDecision {
        let mayWait = wake.call()
        if scaling.showsPage, !isOwn, bytes.equals(head.method, "GET"), head.wantsPage(in: bytes) {
            metrics.page.increment()
            route.calls.count(status: HTTPStatus.serviceUnavailable.code)
            return .answer(WaitingPage.response)
        }
        guard mayWait else {
            metrics.queueFull.increment()
            return refuse(
                route, .serviceUnavailable, "As many calls as may wait for the function to start are waiting.",
                retryAfter: "1")
        }
        return .wait(wake, limit: wakeLimit)
    }

    /// Decides about a call that found no paid one: payments are asked, and what they answered then counts.
    private func unpaid(
        _ route: Route, _ purse: CallPurse, _ offer: PaymentOffer, _ head: RequestHead, in bytes: Span<UInt8>,
        after gate: (any RequestGate)?
    ) -> RequestDecision {
        let check = gate as? LeaseCheck
        switch check?.account == purse.account ? check?.outcome : nil {
        case nil, .granted, .leasedElsewhere:
            // Other gateways give back what they do not use, which takes seconds.
            return .wait(purse.check(), limit: Self.paymentLimit)
        case .exhausted(let balance):
            metrics.unpaid.increment()
            let decision = offer.refusal(balance, head, bytes)
            if case .refuse(let status, _, _, _) = decision {
                route.calls.count(status: status.code)
            }
            return decision
        case .notPayable:
            metrics.paymentsAway.increment()
            return refuse(
                route, .serviceUnavailable, "Payments do not know the function's price, or do not take its asset.",
                retryAfter: "10")
        case .unavailable:
            metrics.paymentsAway.increment()
            return refuse(
                route, .serviceUnavailable, "Whether the call is paid for cannot be found out now.", retryAfter: "1")
        }
    }

    private func refuse(
        _ route: Route, _ status: HTTPStatus, _ detail: String, retryAfter: String? = nil
    ) -> RequestDecision {
        route.calls.count(status: status.code)
        return .refuse(status, detail: detail, headers: HTTPHeaders(retryAfter.map { [("Retry-After", $0)] } ?? []))
    }

    private func unknown(_ detail: String) -> RequestDecision {
        metrics.unknown.increment()
        return .refuse(.notFound, detail: detail)
    }

    /// The owner that a host names, and the function when it has a host of its own: one or two labels below the root domain.
    private func owner(of host: ByteRange, in bytes: Span<UInt8>) -> (owner: ByteRange, function: ByteRange?)? {
        guard !rootSuffix.isEmpty else { return nil }
        let labelsEnd = Self.nameEnd(of: host, in: bytes) - rootSuffix.count
        guard labelsEnd > host.start else { return nil }
        for offset in rootSuffix.indices where Self.lowercased(bytes[labelsEnd + offset]) != rootSuffix[offset] {
            return nil
        }
        var dot: Int?
        for position in host.start..<labelsEnd where bytes[position] == UInt8(ascii: ".") {
            guard dot == nil, position > host.start, position + 1 < labelsEnd else { return nil }
            dot = position
        }
        guard let dot else { return (ByteRange(host.start, labelsEnd), nil) }
        return (ByteRange(dot + 1, labelsEnd), ByteRange(host.start, dot))
    }

    private static func lowercased(_ name: Span<UInt8>) -> [UInt8] {
        var lower: [UInt8] = []
        lower.reserveCapacity(name.count)
        for position in 0..<name.count {
            lower.append(lowercased(name[position]))
        }
        return lower
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
    }
}

/// The segments of a path from its start, without empty ones before each.
struct PathSegments {
    private var position: Int
    private let end: Int

    init(_ path: ByteRange) {
        position = path.start
        end = path.end
    }

    /// Skips slashes and returns what comes up to the next one; `nil` when nothing comes.
    mutating func next(in bytes: Span<UInt8>) -> ByteRange? {
        while position < end, bytes[position] == UInt8(ascii: "/") {
            position += 1
        }
        let start = position
        while position < end, bytes[position] != UInt8(ascii: "/") {
            position += 1
        }
        return position > start ? ByteRange(start, position) : nil
    }
}
