public import Timing

/// Where logs are in the API: `<base>/logs/v1/<owner>/<repository>/<commit>/<function>`.
public struct LogAddress: Sendable, Hashable {
    /// What every path of the API begins with.
    public static let prefix = "/logs/v1/"

    private let base: String

    /// Makes an address.
    ///
    /// - Parameter base: Scheme, host and port; a slash at the end is dropped.
    public init(base: String) { self.base = base.hasSuffix("/") ? String(base.dropLast()) : base }

    /// The log, for whoever may read it.
    public func url(of log: LogKey) -> String { base + Self.prefix + log.urlPath }

    /// The log, for whoever has the link, until a time.
    public func link(to log: LogKey, tokens: LogTokens, until end: Timestamp) -> String {
        url(of: log) + "?token=" + tokens.link(to: log, until: end)
    }
}
