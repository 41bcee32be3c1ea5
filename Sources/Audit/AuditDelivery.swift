import HTTP
import Timing

/// Posts a body, and again when that did not work for a reason that may pass.
struct AuditDelivery: Sendable {
    let client: HTTPClient
    /// The waits between tries.
    var backoff = Backoff(base: .seconds(1), ceiling: .seconds(4), jitter: 0.2)
    /// How long one try may take.
    var timeout = Duration.seconds(10)

    /// With the waits between them three tries bridge the restart of a receiver, and hold the queue up for 35 s at most.
    private static let triesMaximum = 3
    /// Of the answer only the status matters.
    private static let answerBytesMaximum = 64 << 10

    /// Posts JSON.
    ///
    /// - Returns: Nil when the receiver took it, else why it was given up; never the URL, which may hold a secret.
    func post(_ body: [UInt8], to url: String, headers: HTTPHeaders) async -> String? {
        var headers = headers
        headers.set("Content-Type", "application/json")
        headers.set("User-Agent", "farebox-audit")
        var problem = ""
        for attempt in 1...Self.triesMaximum {
            do {
                let answer = try await client.send(
                    HTTPClientRequest(
                        .post, url: url, headers: headers, body: .bytes(body), timeout: timeout,
                        responseBytesMaximum: Self.answerBytesMaximum))
                if answer.status.isSuccess { return nil }
                problem = "the receiver answered \(answer.status.code)"
                guard answer.status.code >= 500 || answer.status.code == 429 else { return problem }
            } catch let error as HTTPClientError {
                problem = Self.reason(error)
            } catch {
                return "given up"
            }
            guard attempt < Self.triesMaximum else { break }
            // The receiver failed: its next try waits, longer each time.
            guard (try? await Task.sleep(for: backoff.delay(afterFailures: attempt))) != nil else { return problem }
        }
        return problem
    }

    /// What went wrong, without libcurl's words: they may repeat parts of the URL.
    private static func reason(_ error: HTTPClientError) -> String {
        switch error {
        case .timedOut: "the receiver did not answer in time"
        case .connectionFailed: "no connection to the receiver"
        case .connectionLost: "the connection to the receiver broke"
        case .tls: "no secure connection to the receiver"
        case .refusedAddress: "the receiver's address is refused"
        default: "the request could not be sent"
        }
    }
}
