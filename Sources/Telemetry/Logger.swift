/// Writes log lines of one part of the program.
///
/// A line is a constant message and fields; whoever reads the logs can then search for the message and filter by the
/// fields. A disabled line costs one atomic load: its fields are not even made.
public struct Logger: Sendable {
    /// The part of the program, such as `operator.function`.
    public let label: String

    private let fields: LogFields
    private let output: LogOutput

    /// Makes a logger.
    ///
    /// - Parameters:
    ///   - label: The part of the program.
    ///   - output: Where lines go; standard error by default.
    public init(label: String, output: LogOutput = .standardError) {
        self.init(label: label, fields: LogFields(), output: output)
    }

    private init(label: String, fields: LogFields, output: LogOutput) {
        self.label = label
        self.fields = fields
        self.output = output
    }

    /// The least level that is written to standard error, for the whole process; `.info` at start.
    ///
    /// - Parameter level: The new level, in force at once.
    public static func setLevel(_ level: LogLevel) {
        LogOutput.standardError.level = level
    }

    /// How lines on standard error look, for the whole process; JSON at start.
    ///
    /// - Parameter format: The new format, in force at once.
    public static func setFormat(_ format: LogFormat) {
        LogOutput.standardError.format = format
    }

    /// A logger that adds these fields to each line.
    ///
    /// - Parameter fields: Added to the ones this logger already adds.
    /// - Returns: The new logger.
    public func with(_ fields: LogFields) -> Logger {
        Logger(label: label, fields: self.fields.merging(fields), output: output)
    }

    /// Whether lines of a level are written now.
    ///
    /// - Parameter level: The level in question.
    /// - Returns: Whether a line would appear.
    public func isEnabled(_ level: LogLevel) -> Bool {
        level >= output.level
    }

    /// Writes a line.
    ///
    /// - Parameters:
    ///   - level: How much it matters.
    ///   - message: What happened, always in the same words.
    ///   - fields: The values of this time; only made when the line is written. Never a secret.
    public func log(_ level: LogLevel, _ message: StaticString, _ fields: @autoclosure () -> LogFields = [:]) {
        guard isEnabled(level) else { return }
        output.write(LogLine(level: level, label: label, message: message, fields: self.fields.merging(fields())))
    }

    /// Writes a line for finding a mistake in the code.
    public func trace(_ message: StaticString, _ fields: @autoclosure () -> LogFields = [:]) {
        log(.trace, message, fields())
    }

    /// Writes a line for developers.
    public func debug(_ message: StaticString, _ fields: @autoclosure () -> LogFields = [:]) {
        log(.debug, message, fields())
    }

    /// Writes a line for the one who runs the program.
    public func info(_ message: StaticString, _ fields: @autoclosure () -> LogFields = [:]) {
        log(.info, message, fields())
    }

    /// Writes a line about something wrong that the program copes with.
    public func warning(_ message: StaticString, _ fields: @autoclosure () -> LogFields = [:]) {
        log(.warning, message, fields())
    }

    /// Writes a line about a failure that a person should look at.
    public func error(_ message: StaticString, _ fields: @autoclosure () -> LogFields = [:]) {
        log(.error, message, fields())
    }
}
