import AsyncCalls
import HTTP
import KubernetesTypes
import Telemetry
import Timing

/// Takes calls on that do not wait: `/async-function/<name>[.<namespace>]/…`, answered 202 once the call is durable.
struct AsyncCallHandler: HTTPHandler {
    /// The longest id of a caller that is kept.
    private static let callIDBytesMaximum = 128
    /// Bodies held at once while they arrive and are stored, counted in the largest.
    private static let bodiesMaximum = 64

    let board: RouteBoard
    let store: any CallStore
    let metrics: AsyncMetrics
    let defaultNamespace: String
    let bodyBytesMaximum: Int
    /// How long payments may take to say whether a call is paid for.
    let paymentLimit: Duration
    /// Told the lane of each call that was taken on.
    let wake: @Sendable (CallLane) -> Void
    private let budget: Budget

    init(
        board: RouteBoard, store: any CallStore, metrics: AsyncMetrics, defaultNamespace: String,
        bodyBytesMaximum: Int, paymentLimit: Duration = GatewayRouter.paymentLimit,
        wake: @escaping @Sendable (CallLane) -> Void
    ) {
        self.board = board
        self.store = store
        self.metrics = metrics
        self.defaultNamespace = defaultNamespace
        self.bodyBytesMaximum = bodyBytesMaximum
        self.paymentLimit = paymentLimit
        self.wake = wake
        budget = Budget(max(1, bodyBytesMaximum) * Self.bodiesMaximum)
    }

    func handle(_ request: HTTPRequest) async -> HTTPResponse {
        guard let named = AsyncTarget(request, defaultNamespace: defaultNamespace),
            case let target = isAlias(named) ? named.inNamespace(defaultNamespace) : named,
            let route = board.table.byObject[RouteName(target.key.name, target.key.namespace)]
        else { return refuse(request, nil, .notFound, "unknown_function", "There is no function of this name.") }
        let callback = request.headers["X-Callback-Url"]
        if let callback, !CallbackPoster.isURL(callback) {
            return refuse(
                request, route, .badRequest, "callback_url", "X-Callback-Url is not an absolute http or https URL.")
        }
        let headers = CallHeaders.kept(of: request.headers)
        guard headers.reduce(0, { $0 + $1.name.utf8.count + $1.value.utf8.count }) <= CallHeaders.bytesMaximum else {
            return refuse(
                request, route, .headerFieldsTooLarge, "headers", "The header fields are too large to be kept.")
        }
        var purse: CallPurse?
        switch route.admission {
        case .open: break
        case .closed(let status, let reason):
            return refuse(request, route, HTTPStatus(status), "closed", reason)
        case .paid(let paid, _): purse = paid
        }
        let share = Budget.Share(of: budget)
        defer { share.giveBack() }
        let body: [UInt8]
        do {
            if let announced = request.headers["Content-Length"].flatMap(Int.init), announced > bodyBytesMaximum {
                throw HTTPBodyError.tooLarge(maximumBytes: bodyBytesMaximum)
            }
            body = try await request.body.collect(maximumBytes: bodyBytesMaximum, share: share)
        } catch {
            return refuse(request, route, error)
        }
        if let purse, case .paid(_, let offer) = route.admission,
            let refusal = await AsyncAdmission(purse: purse, offer: offer, limit: paymentLimit).take(request.requestID)
        {
            metrics.refused("unpaid")
            route.calls.count(status: refusal.status.code)
            return refusal
        }
        let call = AsyncCall(
            callID: Self.callID(request.headers["X-Call-Id"]),
            lane: CallLane(.function, namespace: target.key.namespace, name: target.key.name),
            method: request.method.rawValue, target: target.rest, host: request.headers["Host"] ?? "", headers: headers,
            body: body, callbackURL: callback, acceptedAt: .now, isPaid: purse != nil)
        return await accept(call, request, route, purse)
    }

    private func accept(
        _ call: AsyncCall, _ request: HTTPRequest, _ route: Route, _ purse: CallPurse?
    ) async -> HTTPResponse {
        do throws(CallStoreError) {
            try await store.accept(call)
        } catch {
            purse?.end(isCharged: false)
            switch error {
            case .full(let reason):
                return refuse(
                    request, route, .tooManyRequests, "full", "The call is not taken on: \(reason).", retryAfter: "10")
            case .unavailable(let reason):
                Self.logger.warning("A call could not be kept", ["reason": reason])
                return refuse(
                    request, route, .serviceUnavailable, "store", "Calls cannot be kept now.", retryAfter: "5")
            }
        }
        purse?.end(isCharged: true)
        metrics.accepted()
        route.calls.count(status: HTTPStatus.accepted.code)
        wake(call.lane)
        return HTTPResponse(
            .accepted, headers: HTTPHeaders([("X-Call-Id", call.callID), ("X-Start-Time", call.startTime)]))
    }

    private func refuse(_ request: HTTPRequest, _ route: Route, _ error: any Error) -> HTTPResponse {
        switch error {
        case HTTPBodyError.tooLarge:
            refuse(
                request, route, .contentTooLarge, "too_large",
                "A call that does not wait has at most \(bodyBytesMaximum) bytes.")
        case HTTPBodyError.noRoom:
            refuse(
                request, route, .serviceUnavailable, "bodies", "Too many calls arrive at once.", retryAfter: "1")
        default:
            refuse(request, route, .badRequest, "cut", "The content did not arrive.")
        }
    }

    private func refuse(
        _ request: HTTPRequest, _ route: Route?, _ status: HTTPStatus, _ reason: String, _ detail: String,
        retryAfter: String? = nil
    ) -> HTTPResponse {
        metrics.refused(reason)
        route?.calls.count(status: status.code)
        var response = HTTPResponse.problem(status, detail: detail, requestID: request.requestID)
        response.headers["Retry-After"] = retryAfter
        return response
    }

    /// The caller's id, where it is fit to be logged and sent.
    private static func callID(_ given: String?) -> String? {
        given.flatMap { text in
            !text.isEmpty && text.utf8.count <= callIDBytesMaximum && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
                ? text : nil
        }
    }

    /// Whether a call says the namespace that OpenFaaS' command line says where its user names none, and means ours.
    private func isAlias(_ target: AsyncTarget) -> Bool {
        target.key.namespace == "openfaas-fn"
            && board.table.byObject[RouteName(target.key.name, target.key.namespace)] == nil
    }

    private static let logger = Logger(label: "gateway.async")
}

/// The function that a call names, and what it sees of the target.
struct AsyncTarget: Equatable {
    let key: ObjectKey
    /// Path and query after the function's name, as sent; empty, or begins with `/` or `?`.
    let rest: String

    private init(key: ObjectKey, rest: String) {
        self.key = key
        self.rest = rest
    }

    /// The same call of a function in another namespace.
    func inNamespace(_ namespace: String) -> AsyncTarget {
        AsyncTarget(key: ObjectKey(namespace: namespace, name: key.name), rest: rest)
    }

    /// Reads the path `/async-function/<name>[.<namespace>]/…`; nil for any other.
    init?(_ request: HTTPRequest, defaultNamespace: String) {
        let bytes = Array(request.path.utf8)
        var segments = PathSegments(ByteRange(0, bytes.count))
        guard let first = segments.next(in: bytes.span), bytes.span.equals(first, "async-function"),
            let function = segments.next(in: bytes.span)
        else { return nil }
        let parts = bytes.span.text(function).split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        key = ObjectKey(
            namespace: parts.count == 2 ? String(parts[1]) : defaultNamespace, name: parts.first.map(String.init) ?? "")
        rest = bytes.span.text(ByteRange(function.end, bytes.count)) + (request.query.map { "?" + $0 } ?? "")
    }
}

extension CallLane {
    /// The function's object.
    var objectKey: ObjectKey { ObjectKey(namespace: namespace, name: name) }
}
