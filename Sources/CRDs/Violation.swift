/// A rule that an object breaks and that its schema cannot express.
public struct Violation: Hashable, Sendable, CustomStringConvertible {
    /// What the author of the object can do about it.
    public enum Kind: Hashable, Sendable {
        /// The value cannot work: change it.
        case invalid
        /// The field is there for a later version: leave it out.
        case notSupportedYet
    }

    /// The field, such as `spec.scale.max` or `spec.egress[1]`.
    public let path: String
    /// What is wrong and what to do, in one sentence without the field's name.
    public let message: String
    /// What the author can do.
    public let kind: Kind

    /// Makes a violation.
    public init(path: String, message: String, kind: Kind = .invalid) {
        self.path = path
        self.message = message
        self.kind = kind
    }

    /// The field and what is wrong with it.
    public var description: String { "\(path): \(message)" }
}

extension Collection where Element == Violation {
    /// The kind of the whole list: a field that cannot work outranks one that is not supported yet.
    public var kind: Violation.Kind? {
        if isEmpty { return nil }
        return contains { $0.kind == .invalid } ? .invalid : .notSupportedYet
    }

    /// The first few violations in one line, for a condition's message.
    ///
    /// - Parameter maximum: How many are told; of the rest only the number.
    public func summary(maximum: Int = 5) -> String {
        let told = prefix(maximum).map(\.description).joined(separator: "; ")
        return count > maximum ? "\(told); and \(count - maximum) more" : told
    }
}
