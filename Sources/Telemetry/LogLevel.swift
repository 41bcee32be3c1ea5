/// How much a log line matters.
public enum LogLevel: UInt8, Sendable, Hashable, Comparable, CaseIterable {
    /// Each step, for finding a mistake in the code.
    case trace
    /// What a developer wants to know.
    case debug
    /// What happened, for the one who runs it.
    case info
    /// Something is wrong, and the program copes.
    case warning
    /// Something failed, and a person should look.
    case error

    /// The lower-case name, as in a line or a flag.
    public var name: String {
        switch self {
        case .trace: "trace"
        case .debug: "debug"
        case .info: "info"
        case .warning: "warning"
        case .error: "error"
        }
    }

    /// The level with this name.
    ///
    /// - Parameter name: A name as in ``name``; capitals do not matter.
    public init?(name: String) {
        let wanted = name.lowercased()
        guard let level = Self.allCases.first(where: { $0.name == wanted }) else { return nil }
        self = level
    }

    /// Whether a level matters less than another.
    public static func < (left: LogLevel, right: LogLevel) -> Bool { left.rawValue < right.rawValue }
}
