/// The method of a request, compared exactly: methods are case-sensitive (RFC 9110 §9.1).
public struct HTTPMethod: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The method as written on the wire, such as `GET`.
    public let rawValue: String

    /// Wraps a method name; nothing is changed or checked.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// Transfer a representation of the target (RFC 9110 §9.3.1).
    public static let get = HTTPMethod(rawValue: "GET")
    /// As `get`, without the content (RFC 9110 §9.3.2).
    public static let head = HTTPMethod(rawValue: "HEAD")
    /// Resource-specific processing of the content (RFC 9110 §9.3.3).
    public static let post = HTTPMethod(rawValue: "POST")
    /// Replace the target by the content (RFC 9110 §9.3.4).
    public static let put = HTTPMethod(rawValue: "PUT")
    /// Remove the target (RFC 9110 §9.3.5).
    public static let delete = HTTPMethod(rawValue: "DELETE")
    /// Establish a tunnel (RFC 9110 §9.3.6); our servers refuse it.
    public static let connect = HTTPMethod(rawValue: "CONNECT")
    /// Describe the options of the target (RFC 9110 §9.3.7).
    public static let options = HTTPMethod(rawValue: "OPTIONS")
    /// Loop the message back (RFC 9110 §9.3.8).
    public static let trace = HTTPMethod(rawValue: "TRACE")
    /// Change the target partially (RFC 5789).
    public static let patch = HTTPMethod(rawValue: "PATCH")

    /// Whether the method only reads (RFC 9110 §9.2.1).
    public var isSafe: Bool {
        self == .get || self == .head || self == .options || self == .trace
    }

    /// Whether sending it twice has the effect of sending it once (RFC 9110 §9.2.2), so that a retry is harmless.
    public var isIdempotent: Bool {
        isSafe || self == .put || self == .delete
    }

    /// The method as written on the wire.
    public var description: String { rawValue }
}
