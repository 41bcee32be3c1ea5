import Timing

/// Reads the fields that hold a span of time.
enum DurationField {
    /// Returns what is wrong with the text of a span of time, if anything.
    ///
    /// - Parameters:
    ///   - text: The field's value; `nil` when absent, which is never wrong.
    ///   - path: The field.
    ///   - range: What the span may be.
    static func violation(_ text: String?, path: String, in range: ClosedRange<Duration>) -> Violation? {
        guard let text else { return nil }
        guard let duration = Duration(goStyle: text) else {
            return Violation(path: path, message: "\"\(text)\" is not a span of time; write it like 30s, 5m or 1h30m")
        }
        guard range.contains(duration) else {
            return Violation(
                path: path,
                message: "\(text) is outside \(range.lowerBound.goStyle) to \(range.upperBound.goStyle)")
        }
        return nil
    }
}
