/// Why something cannot be used as a runtime.
public struct RuntimeError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The runtime's name, or where it should have come from.
    public let runtime: String
    /// What is wrong, and where.
    public let message: String

    /// Makes an error.
    init(_ runtime: String, _ message: String) {
        self.runtime = runtime
        self.message = message
    }

    /// One line for a person.
    public var description: String { "runtime \(runtime): \(message)" }
}
