import HTTP
import JSON
import Timing

/// Leases and balances for the gateway: `/v1/…` of the internal port, for whoever has the token.
struct LeaseHandler: Sendable {
    let ledger: any PaymentLedger
    let directory: any PaymentDirectory
    let tokens: BearerTokens
    let flights: FlightLimit
    let metrics: PaymentsMetrics
    let now: @Sendable () -> Timestamp

    /// What is sent for a lease has some hundred bytes.
    private static let bodyBytesMaximum = 8 << 10
    private static let secondsMaximum = 3600

    /// Answers a request whose path begins with `/v1/`.
    func handle(_ request: HTTPRequest) async -> HTTPResponse {
        guard tokens.admit(request.headers["Authorization"]) else {
            var response = Self.problem(.unauthorized, "send the token as Authorization: Bearer", request)
            response.headers.set("WWW-Authenticate", "Bearer realm=\"payments\"")
            return response
        }
        guard flights.enter() else { return Self.busy(.seconds(1), request) }
        defer { flights.leave() }
        let parts = request.path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
        switch (parts, request.method) {
        case (["v1", "leases", "exchange"], .post): return await exchange(request)
        case (["v1", "leases", "settle"], .post): return await settle(request)
        case (["v1", "leases", "exchange"], _), (["v1", "leases", "settle"], _): return Self.notAllowed("POST", request)
        default:
            guard parts.count == 4, parts[1] == "balances" else {
                return Self.problem(.notFound, "no such path", request)
            }
            guard request.method == .get else { return Self.notAllowed("GET", request) }
            return await balance(namespace: parts[2], function: parts[3], request)
        }
    }

    private func exchange(_ request: HTTPRequest) async -> HTTPResponse {
        let wish: LeaseExchange
        switch await decode(LeaseExchange.self, request) {
        case .success(let value): wish = value
        case .failure(let refusal): return refusal.response
        }
        guard (1...Self.secondsMaximum).contains(wish.seconds) else {
            return Self.problem(.unprocessableContent, "seconds: from 1 to \(Self.secondsMaximum)", request)
        }
        let function: PayableFunction
        switch await find(wish.account, request) {
        case .success(let found): function = found
        case .failure(let refusal):
            guard refusal.response.status == .notFound else { return refusal.response }
            return await end(wish, request) ?? refusal.response
        }
        do {
            let lease = try await ledger.exchange(
                wish.lease, spent: wish.spent ?? 0, account: wish.account, terms: function.terms, calls: wish.calls,
                holder: wish.holder, for: .seconds(wish.seconds), now: now())
            if wish.lease != nil { metrics.spent(wish.spent ?? 0) }
            metrics.leased(lease.calls)
            return Self.json(try JSONWriter().value(of: lease))
        } catch let error as LedgerError {
            metrics.leaseRefused(Self.outcome(error))
            guard error == .exhausted else { return Self.answer(error, request) }
            if wish.lease != nil { metrics.spent(wish.spent ?? 0) }
            return await exhausted(function, request)
        } catch {
            return Self.problem(.internalServerError, "the lease cannot be written", request)
        }
    }

    /// Settles the lease of a function that has no price any more: nobody else will, and it would end as wholly used.
    ///
    /// - Returns: What to answer when that has to be tried again.
    private func end(_ wish: LeaseExchange, _ request: HTTPRequest) async -> HTTPResponse? {
        guard let lease = wish.lease else { return nil }
        do {
            try await ledger.settle(lease, spent: wish.spent ?? 0, now: now())
            metrics.spent(wish.spent ?? 0)
            return nil
        } catch {
            metrics.leaseRefused(Self.outcome(error))
            switch error {
            case .busy, .unavailable: return Self.answer(error, request)
            default: return nil
            }
        }
    }

    /// The calls are used up: tells how much money is there, so that the caller need not ask again.
    private func exhausted(_ function: PayableFunction, _ request: HTTPRequest) async -> HTTPResponse {
        let response = Self.problem(.paymentRequired, "no call is left; somebody has to pay", request)
        guard let balance = try? await ledger.balance(of: function.account, terms: function.terms),
            let value = try? JSONWriter().value(of: balance), case .bytes(let bytes) = response.body,
            var members = try? JSONReader().parse(bytes).objectValue
        else { return response }
        members["balance"] = value
        return HTTPResponse(
            response.status, headers: response.headers, body: .bytes(JSONWriter().write(.object(members))))
    }

    private func settle(_ request: HTTPRequest) async -> HTTPResponse {
        let settlement: LeaseSettlement
        switch await decode(LeaseSettlement.self, request) {
        case .success(let value): settlement = value
        case .failure(let refusal): return refusal.response
        }
        do {
            try await ledger.settle(settlement.lease, spent: settlement.spent, now: now())
            metrics.spent(settlement.spent)
            return HTTPResponse(.noContent)
        } catch {
            metrics.leaseRefused(Self.outcome(error))
            return Self.answer(error, request)
        }
    }

    private func balance(namespace: String, function name: String, _ request: HTTPRequest) async -> HTTPResponse {
        guard let account = PaymentAccount(namespace: namespace, function: name) else {
            return Self.problem(.notFound, "there is no such function, or it has no price", request)
        }
        let function: PayableFunction
        switch await find(account, request) {
        case .success(let found): function = found
        case .failure(let refusal): return refusal.response
        }
        do {
            let balance = try await ledger.balance(of: account, terms: function.terms)
            var members = try JSONWriter().value(of: balance).objectValue ?? JSONObject()
            members["account"] = .string(account.name)
            return Self.json(.object(members))
        } catch let error as LedgerError {
            return Self.answer(error, request)
        } catch {
            return Self.problem(.internalServerError, "the balance cannot be written", request)
        }
    }

    // MARK: - Reading

    /// An answer in the place of what was to be read.
    private struct Refusal: Error {
        let response: HTTPResponse
    }

    private func find(_ account: PaymentAccount, _ request: HTTPRequest) async -> Result<PayableFunction, Refusal> {
        do {
            return .success(try await directory.function(of: account))
        } catch {
            switch error {
            case .unknown, .ambiguous:
                let text = "there is no such function, or it has no price"
                return .failure(Refusal(response: Self.problem(.notFound, text, request)))
            case .unavailable:
                return .failure(Refusal(response: Self.busy(.seconds(1), request)))
            }
        }
    }

    private func decode<Value: Decodable>(_ type: Value.Type, _ request: HTTPRequest) async -> Result<Value, Refusal> {
        let body: [UInt8]
        do {
            body = try await request.body.collect(maximumBytes: Self.bodyBytesMaximum)
        } catch HTTPBodyError.tooLarge {
            let text = "at most \(Self.bodyBytesMaximum) bytes are taken"
            return .failure(Refusal(response: Self.problem(.contentTooLarge, text, request)))
        } catch {
            return .failure(Refusal(response: Self.problem(.badRequest, "the content ended too early", request)))
        }
        do {
            let limits = JSONReader.Limits(bytesMaximum: Self.bodyBytesMaximum, depthMaximum: 8)
            return .success(try JSONReader(limits: limits).decode(type, from: body))
        } catch {
            return .failure(Refusal(response: Self.problem(.badRequest, "\(error)", request)))
        }
    }

    // MARK: - Answers

    private static func outcome(_ error: LedgerError) -> String {
        switch error {
        case .exhausted: "exhausted"
        case .unknownLease: "unknown"
        case .busy: "busy"
        case .unavailable: "unavailable"
        case .invalid, .unknownNonce, .expired, .nothingNew: "invalid"
        }
    }

    private static func answer(_ error: LedgerError, _ request: HTTPRequest) -> HTTPResponse {
        switch error {
        case .busy(let retryAfter): busy(retryAfter, request)
        case .unavailable: busy(.seconds(1), request)
        case .exhausted: problem(.paymentRequired, "\(error)", request)
        case .unknownLease: problem(.notFound, "\(error)", request)
        case .invalid, .unknownNonce, .expired, .nothingNew: problem(.unprocessableContent, "\(error)", request)
        }
    }

    private static func json(_ value: JSONValue) -> HTTPResponse {
        var response = HTTPResponse.json(.ok, value)
        response.headers.set("Cache-Control", "no-store")
        return response
    }

    private static func busy(_ retryAfter: Duration, _ request: HTTPRequest) -> HTTPResponse {
        var response = problem(.serviceUnavailable, "the ledger cannot be used now; try again", request)
        response.headers.set("Retry-After", retryAfter.wholeSeconds)
        return response
    }

    private static func notAllowed(_ methods: String, _ request: HTTPRequest) -> HTTPResponse {
        var response = problem(.methodNotAllowed, "use \(methods)", request)
        response.headers.set("Allow", methods)
        return response
    }

    private static func problem(_ status: HTTPStatus, _ detail: String, _ request: HTTPRequest) -> HTTPResponse {
        var response = HTTPResponse.problem(status, detail: detail, requestID: request.requestID)
        response.headers.set("Cache-Control", "no-store")
        return response
    }
}
