import HTTP
import Synchronization
import Telemetry

/// Logs the warnings that an API server sends along, each text once.
///
/// Source: Kubernetes documentation, "Warnings"; RFC 7234 §5.5: `299 - "text"`.
final class WarningLog: Sendable {
    /// How many different texts are remembered; further ones are not logged.
    static let textsMaximum = 256

    private let seen = Mutex(Set<String>())
    private let logger: Logger

    init(_ logger: Logger) {
        self.logger = logger
    }

    /// Logs the warnings among header fields that are new.
    func note(_ headers: HTTPHeaders, _ request: APIRequest) {
        for value in headers.values(for: "Warning") {
            guard let text = Self.text(value) else { continue }
            let isNew = seen.withLock { $0.count < Self.textsMaximum && $0.insert(text).inserted }
            if isNew { logger.warning("API server warns", ["warning": "\(text)", "request": "\(request)"]) }
        }
    }

    /// Returns the quoted text of a warning with code 299.
    static func text(_ value: String) -> String? {
        guard value.hasPrefix("299 "), let first = value.firstIndex(of: "\""), let last = value.lastIndex(of: "\""),
            first < last
        else { return nil }
        let quoted: Substring = value[value.index(after: first)..<last]
        return String(quoted).replacing("\\\"", with: "\"")
    }
}
