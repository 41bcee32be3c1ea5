import HTTP
import JSON

/// Asks the payments process for leases and balances, with the token of a mounted file.
public struct LeaseClient: Sendable {
    /// An answer has some hundred bytes.
    private static let responseBytesMaximum = 64 << 10
    private static let timeout = Duration.seconds(5)

    private let url: String
    private let tokenPath: String
    private let client: HTTPClient

    /// Makes a client; nothing is connected yet.
    ///
    /// - Parameters:
    ///   - url: Where the internal service is, without a path: `http://farebox-payments.farebox-system:9090`.
    ///   - tokenPath: A file with the token; read for each request, since it may be replaced at any time.
    public init(url: String, tokenPath: String) {
        self.url = url
        self.tokenPath = tokenPath
        client = HTTPClient(
            configuration: HTTPClientConfiguration(proxy: .none, connectTimeout: .seconds(2)))
    }

    /// Settles a lease, if one is named, and asks for the next.
    ///
    /// Asked again with the same lease, the ledger gives the same new one.
    public func exchange(_ exchange: LeaseExchange) async -> LeaseAnswer {
        let response: HTTPClientResponse
        do {
            response = try await send(.post, "/v1/leases/exchange", try JSONWriter().encode(exchange))
        } catch {
            return .unavailable("payments did not answer: \(error)")
        }
        switch response.status.code {
        case 200:
            guard let lease = try? JSONReader().decode(CallLease.self, from: response.body) else {
                return .unavailable("the answer of payments cannot be read")
            }
            return .granted(lease)
        case 402: return .exhausted(try? JSONReader().decode(Exhausted.self, from: response.body).balance)
        case 404: return exchange.lease == nil ? .notPayable : .unknownLease
        case 422 where exchange.lease != nil: return .unknownLease
        case 401: return .unavailable("payments do not take the token of \(tokenPath)")
        default: return .unavailable("payments answered \(response.status)")
        }
    }

    /// Ends a lease.
    ///
    /// - Returns: Whether it is over, now or since before; else it may be tried again.
    public func settle(_ settlement: LeaseSettlement) async -> Bool {
        guard let body = try? JSONWriter().encode(settlement),
            let response = try? await send(.post, "/v1/leases/settle", body)
        else { return false }
        // What payments do not know or do not take will be neither known nor taken later.
        return response.status.isSuccess || [404, 422].contains(response.status.code)
    }

    /// What an account has; nil when nobody could tell.
    public func balance(of account: PaymentAccount) async -> AccountBalance? {
        guard let response = try? await send(.get, "/v1/balances/\(account.name)", nil), response.status == .ok else {
            return nil
        }
        return try? JSONReader().decode(AccountBalance.self, from: response.body)
    }

    /// The problem document of an exchange that found nothing.
    private struct Exhausted: Decodable {
        var balance: AccountBalance
    }

    private func send(_ method: HTTPMethod, _ path: String, _ body: [UInt8]?) async throws -> HTTPClientResponse {
        guard let token = try SecretLines.read(tokenPath).first else {
            throw PaymentsError("\(tokenPath) holds no token")
        }
        var headers = HTTPHeaders([("Authorization", "Bearer \(token)")])
        if body != nil {
            headers.set("Content-Type", "application/json")
        }
        return try await client.send(
            HTTPClientRequest(
                method, url: url + path, headers: headers, body: body.map { .bytes($0) } ?? .none,
                timeout: Self.timeout, responseBytesMaximum: Self.responseBytesMaximum))
    }
}
