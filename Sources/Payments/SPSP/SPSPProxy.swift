import Cryptography
import HTTP
import JSON
import Telemetry
import Timing

/// Answers SPSP queries: chooses who is paid, asks that wallet to issue receipts with a secret of ours, passes its answer on.
///
/// The nonce is remembered only after the wallet's good answer, and from then on receipts that carry it are taken until the
/// connection's lifetime, counted from the query, is over.
struct SPSPProxy: Sendable {
    let directory: any PaymentDirectory
    let ledger: any PaymentLedger
    let seeds: SeedRing
    let share: RevenueShare
    let wallets: WalletClient
    /// What the host's wallet counts in.
    let asset: Asset
    /// How long receipts of a connection are taken.
    let lifetime: Duration
    let flights: FlightLimit
    let rate: QueryRate
    let metrics: PaymentsMetrics
    let now: @Sendable () -> Timestamp
    private let logger = Logger(label: "spsp")

    /// Whom a query pays, and whether it counts.
    private struct Payee {
        var receiver: PaymentPointer
        var account: PaymentAccount?
        var creditsHost: Bool
    }

    /// Answers a GET.
    func answer(_ request: HTTPRequest) async -> HTTPResponse {
        let begun = ContinuousClock.now
        do {
            let response = try await proxied(request)
            metrics.query("answered", begun)
            return response
        } catch let refusal as SPSPRefusal {
            metrics.query(refusal.outcome, begun)
            return refusal.response
        } catch {
            // The payer left: nobody reads this.
            metrics.query("cancelled", begun)
            return SPSPRefusal.unavailable(retryAfter: .seconds(1)).response
        }
    }

    private func proxied(_ request: HTTPRequest) async throws -> HTTPResponse {
        guard AcceptField(request.headers.values(for: "Accept")).admits("application", "spsp4+json"),
            let name = PayeeName(path: request.path)
        else { throw SPSPRefusal.unknown }
        guard !WalletHeaders.isChained(request.headers) else { throw SPSPRefusal.chained }
        guard let key = seeds.keys?.current else { throw SPSPRefusal.unavailable(retryAfter: .seconds(1)) }
        let payee = try await payee(name)
        guard flights.enter(payee.receiver.authority) else { throw SPSPRefusal.unavailable(retryAfter: .seconds(1)) }
        defer { flights.leave(payee.receiver.authority) }
        if let wait = rate.take() { throw SPSPRefusal.unavailable(retryAfter: wait) }

        let expiresAt = now() + lifetime
        let nonce = randomBytes(StreamReceipt.nonceBytesCount)
        let headers = WalletHeaders.request(
            request.headers, nonce: Base64.encode(nonce), secret: Base64.encode(key.secret(nonce: nonce)))
        let answer = try await ask(payee.receiver, headers)
        try Self.checkReceipts(in: answer.body)
        if answer.status.isSuccess {
            try await remember(
                StreamConnection(
                    nonce: nonce, account: payee.account, identifier: String(request.path.dropFirst()),
                    endpoint: payee.receiver.text, creditsHost: payee.creditsHost, asset: asset,
                    expiresAt: expiresAt, seed: key.seed))
        }
        return HTTPResponse(
            answer.status, headers: WalletHeaders.response(answer.headers), body: .bytes(answer.body))
    }

    // MARK: - Who is paid

    private func payee(_ name: PayeeName) async throws -> Payee {
        if name == .host { return Payee(receiver: share.host, account: nil, creditsHost: true) }
        let function: PayableFunction
        do {
            function = try await directory.function(named: name)
        } catch {
            switch error {
            case .unknown: throw SPSPRefusal.unknown
            case .ambiguous: throw SPSPRefusal.ambiguous
            case .unavailable: throw SPSPRefusal.unavailable(retryAfter: .seconds(1))
            }
        }
        guard function.terms.asset == asset else {
            logger.warning(
                "A function's price is in another asset than the host's wallet",
                ["function": function.account.name, "price": function.terms.asset, "wallet": asset])
            throw SPSPRefusal.unknown
        }
        let receiver = share.receiver(author: author(of: function), balance: try await balance(of: function))
        return Payee(receiver: receiver, account: function.account, creditsHost: share.credits(receiver))
    }

    private func author(of function: PayableFunction) -> PaymentPointer? {
        guard let text = function.authorPointer else { return nil }
        do {
            return try PaymentPointer(text, rules: share.rules)
        } catch {
            logger.warning(
                "Refused an author's payment pointer; the host is paid in the author's place",
                ["function": function.account.name, "pointer": text, "refused": error])
            return nil
        }
    }

    private func balance(of function: PayableFunction) async throws -> UInt64 {
        guard function.authorPointer != nil else { return 0 }
        do {
            return try await ledger.balance(of: function.account, terms: function.terms).balance
        } catch {
            throw refusal(error)
        }
    }

    // MARK: - The wallet

    private func ask(_ receiver: PaymentPointer, _ headers: HTTPHeaders) async throws -> HTTPClientResponse {
        let begun = ContinuousClock.now
        do {
            let answer = try await wallets.query(receiver, headers: headers)
            metrics.wallet("answered", begun)
            return answer
        } catch let error as WalletError {
            metrics.wallet(error.outcome, begun)
            switch error {
            case .refused: break  // The client has said so in the log.
            case .unreachable, .reset, .timedOut, .unusable:
                logger.warning("A wallet gave no answer", ["pointer": receiver.text, "error": error])
            }
            throw SPSPRefusal(error)
        }
    }

    /// Whether the wallet said that it will issue receipts; its status does not matter.
    static func checkReceipts(in body: [UInt8]) throws(SPSPRefusal) {
        let limits = JSONReader.Limits(bytesMaximum: WalletClient.responseBytesMaximum, depthMaximum: 32)
        guard let answer = try? JSONReader(limits: limits).parse(body) else {
            throw .wallet("the wallet's answer is not JSON")
        }
        guard isTrue(answer["receipts_enabled"] ?? .null) else { throw .unsupported }
    }

    /// Whether a value counts as true in the language that the contract was written in.
    private static func isTrue(_ value: JSONValue) -> Bool {
        switch value {
        case .null: false
        case .bool(let value): value
        case .integer(let value): value != 0
        case .unsigned(let value): value != 0
        case .double(let value): value != 0 && !value.isNaN
        case .string(let value): !value.isEmpty
        case .array, .object: true
        }
    }

    private func remember(_ connection: StreamConnection) async throws {
        do {
            try await ledger.open(connection)
        } catch {
            throw refusal(error)
        }
    }

    private func refusal(_ error: LedgerError) -> SPSPRefusal {
        if case .busy(let retryAfter) = error { return .unavailable(retryAfter: retryAfter) }
        logger.error("The ledger did not take a query", ["error": "\(error)"])
        return .unavailable(retryAfter: .seconds(1))
    }
}
