/// The queue that a call waits in: each function has one for its calls and one for the answers to be posted.
public struct CallLane: Hashable, Sendable {
    /// What is done with what waits.
    public enum Kind: String, Sendable, Codable, CaseIterable {
        /// The function is called.
        case function
        /// A function's answer is posted to whom the caller named.
        case callback
    }

    /// What is done with what waits.
    public let kind: Kind
    /// The namespace of the Function object.
    public let namespace: String
    /// The name of the Function object.
    public let name: String

    /// Names a lane.
    public init(_ kind: Kind, namespace: String, name: String) {
        self.kind = kind
        self.namespace = namespace
        self.name = name
    }

    /// The function as callers and metrics have it: `<name>.<namespace>`.
    public var function: String { "\(name).\(namespace)" }
}
