/// What went wrong in a database.
public struct StoreFailure: Error, CustomStringConvertible {
    /// One line: what was done and what the database said.
    public let description: String

    /// Makes a failure of one line.
    public init(_ description: String) { self.description = description }
}
