public import HTTP

/// Posts functions' answers to whom the callers named.
///
/// Anybody may name any URL, so only addresses of the public Internet are connected to unless the configuration allows
/// others, after names are resolved; redirects are not followed, and the answer is thrown away.
public final class CallbackPoster: Sendable {
    /// Who is posting.
    private static let agent = "farebox"
    /// Longer answers are nobody's business.
    private static let answerBytesMaximum = 64 << 10
    /// The longest URL.
    private static let urlBytesMaximum = 2048

    private let client: HTTPClient
    private let timeout: Duration

    /// Makes a poster.
    ///
    /// - Parameters:
    ///   - addresses: Which addresses may be connected to.
    ///   - timeout: How long one posting may take.
    public init(addresses: AddressPolicy, timeout: Duration) {
        self.timeout = timeout
        client = HTTPClient(
            configuration: HTTPClientConfiguration(
                proxy: .none, addresses: addresses, connectTimeout: min(timeout, .seconds(10)),
                connectionsPerHostMaximum: 16))
    }

    /// Whether a URL may be named for a callback: absolute, `http` or `https`, without user, in printable ASCII.
    public static func isURL(_ text: String) -> Bool {
        let bytes = text.utf8
        guard bytes.count <= urlBytesMaximum, bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x5C }) else {
            return false
        }
        guard let scheme = ["https://", "http://"].first(where: { text.lowercased().hasPrefix($0) }) else {
            return false
        }
        let rest = text.dropFirst(scheme.count)
        let authority = rest.prefix { !"/?#".contains($0) }
        return !authority.isEmpty && !authority.hasPrefix(":") && !authority.contains("@")
    }

    /// Makes one attempt.
    public func post(_ call: AsyncCall, attempt: Int) async -> CallOutcome {
        var headers = HTTPHeaders(call.headers.map { ($0.name, $0.value) })
        headers.set("User-Agent", Self.agent)
        let begun = ContinuousClock.now
        do {
            let response = try await client.send(
                HTTPClientRequest(
                    .post, url: call.target, headers: headers, body: .bytes(call.body), timeout: timeout,
                    responseBytesMaximum: Self.answerBytesMaximum))
            // Whatever else it says, it was not taken, and would not be the next time.
            let isRefused = !response.status.isSuccess && !RetryPolicy.isTemporary(response.status.code)
            return CallOutcome(
                .answer, status: response.status.code, isFinal: isRefused,
                retryAfter: CallOutcome.retryAfter(response.headers["Retry-After"]), duration: .now - begun)
        } catch HTTPClientError.bodyTooLarge {
            return CallOutcome(.answer, status: 200, duration: .now - begun)
        } catch is CancellationError {
            return CallOutcome(.cancelled)
        } catch let error as HTTPClientError {
            var outcome = CallOutcome(.platform, reason: "\(error)", duration: .now - begun)
            switch error {
            case .refusedAddress, .invalidRequest: outcome.isFinal = true
            default: break
            }
            return outcome
        } catch {
            return CallOutcome(.platform, reason: "\(error)", duration: .now - begun)
        }
    }
}

extension CallOutcome {
    /// Reads `Retry-After` in seconds (RFC 9110 §10.2.3); a date counts as nothing said.
    public static func retryAfter(_ field: String?) -> Duration? {
        guard let field, let seconds = UInt32(field) else { return nil }
        return .seconds(Int64(seconds))
    }
}
