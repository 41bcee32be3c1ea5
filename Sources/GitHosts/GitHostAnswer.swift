import HTTP
import JSON
import Timing

/// Reads what the answers of Git hosts mean for whoever asked.
///
/// Rate limits are GitHub's (primary: `X-RateLimit-Remaining: 0`; secondary: `Retry-After`, or its words in a 403) and
/// GitLab's (429 with `Retry-After` or `RateLimit-Reset`).
enum GitHostAnswer {
    /// No host is waited for longer, whatever it says.
    static let waitMaximum: Duration = .seconds(3600)
    /// How much of a host's own words is repeated.
    static let wordsMaximum = 200

    /// Returns what went wrong, or nil for a success.
    ///
    /// - Parameters:
    ///   - response: The answer.
    ///   - what: What was asked for, as `the commit status on git.example.com`.
    ///   - now: The time that the host's times are held against.
    static func error(in response: HTTPClientResponse, what: String, now: Timestamp) -> GitHostError? {
        let status = response.status
        guard !status.isSuccess else { return nil }
        let words = words(in: response.body)
        let tail = words.isEmpty ? "" : ": " + words
        switch status.code {
        case 300..<400:
            let place = (response.headers["Location"] ?? "another address").prefix(wordsMaximum)
            return .refused("\(what) was redirected to \(place); set spec.url to the repository's new address")
        case 401: return .unauthorized("\(what) was refused with 401\(tail); renew the token")
        case 403 where isRateLimit(response, words), 429:
            let wait = wait(in: response.headers, now: now)
            return .later("\(what) has to wait: the host's rate limit is used up (\(status.code))\(tail)", after: wait)
        case 403: return .refused("\(what) was refused with 403\(tail); the token needs the permission to write it")
        case 404:
            return .refused(
                "\(what) was answered with 404\(tail); the repository or the commit is not there, or the token may not "
                    + "see it")
        case 408, 500...599:
            return .later("\(what) was answered with \(status)\(tail)", after: wait(in: response.headers, now: now))
        default: return .refused("\(what) was refused with \(status)\(tail)")
        }
    }

    /// The same for an exchange that gave no answer.
    static func error(for error: HTTPClientError, what: String) -> GitHostError {
        switch error {
        case .refusedAddress, .invalidRequest: .refused("\(what) cannot be sent: \(error)")
        default: .later("\(what) could not be sent: \(error)", after: nil)
        }
    }

    private static func isRateLimit(_ response: HTTPClientResponse, _ words: String) -> Bool {
        response.headers["Retry-After"] != nil || response.headers["X-RateLimit-Remaining"] == "0"
            || words.lowercased().contains("rate limit") || words.lowercased().contains("abuse detection")
    }

    private static func wait(in headers: HTTPHeaders, now: Timestamp) -> Duration? {
        func bounded(_ seconds: Int64) -> Duration { min(max(.seconds(seconds), .zero), waitMaximum) }
        func number(_ name: String) -> Int64? {
            headers[name].flatMap { Int64($0) }.flatMap { $0 >= 0 ? min($0, Int64(Int32.max) * 4) : nil }
        }
        if let seconds = number("Retry-After") { return bounded(seconds) }
        for name in ["X-RateLimit-Reset", "RateLimit-Reset"] {
            if let time = number(name), time > 0 { return bounded(time - now.secondsSinceEpoch) }
        }
        return nil
    }

    /// What the host says in `message` or `error`, on one line.
    static func words(in body: [UInt8]) -> String {
        guard let value = try? JSONReader().parse(body) else { return "" }
        let message = value["message"] ?? value["error"] ?? .null
        let text = message.stringValue ?? (message.isNull ? "" : JSONWriter().string(message))
        let scalars = text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }
        return String(String.UnicodeScalarView(scalars.prefix(wordsMaximum)))
    }
}
