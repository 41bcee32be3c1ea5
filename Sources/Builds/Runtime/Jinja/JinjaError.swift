/// What is wrong in a template, and on which line.
struct JinjaError: Error, Hashable, CustomStringConvertible {
    /// Counts from 1.
    let line: Int
    let message: String

    var description: String { "line \(line): \(message)" }
}
