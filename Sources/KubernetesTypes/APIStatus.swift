/// The API server's own account of a request that did not give back an object.
///
/// Source: Kubernetes API, `meta/v1` Status.
public struct APIStatus: Codable, Hashable, Sendable {
    /// `Success` or `Failure`.
    @OmitEmpty public var status: String
    /// What happened, for people.
    @OmitEmpty public var message: String
    /// What happened, for programs; absent when the server (or a proxy before it) gave none.
    public var reason: StatusReason?
    /// What the request was about, and each cause.
    public var details: StatusDetails?
    /// The HTTP status code; 0 when unknown.
    public var code: Int

    /// Makes a status.
    public init(
        status: String = "Failure", message: String = "", reason: StatusReason? = nil, details: StatusDetails? = nil,
        code: Int = 0
    ) {
        self.status = status
        self.message = message
        self.reason = reason
        self.details = details
        self.code = code
    }

    private enum CodingKeys: CodingKey { case status, message, reason, details, code }

    /// Decodes a Status object; every field may be missing.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        _status = try container.decode(OmitEmpty<String>.self, forKey: .status)
        _message = try container.decode(OmitEmpty<String>.self, forKey: .message)
        reason = try container.decodeIfPresent(StatusReason.self, forKey: .reason)
        details = try container.decodeIfPresent(StatusDetails.self, forKey: .details)
        code = try container.decodeIfPresent(Int.self, forKey: .code) ?? 0
    }
}

/// The machine-readable reason of a ``APIStatus``.
public struct StatusReason: RawRepresentable, Codable, Hashable, Sendable {
    /// The reason as the server wrote it.
    public let rawValue: String

    /// Wraps a reason, known or not.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// The object does not exist (404).
    public static let notFound = StatusReason(rawValue: "NotFound")
    /// An object of that name exists (409).
    public static let alreadyExists = StatusReason(rawValue: "AlreadyExists")
    /// The object changed since it was read, or fields belong to another manager (409).
    public static let conflict = StatusReason(rawValue: "Conflict")
    /// The version or continue token asked for is gone from the server's history (410).
    public static let expired = StatusReason(rawValue: "Expired")
    /// The item is gone for good (410).
    public static let gone = StatusReason(rawValue: "Gone")
    /// The object breaks the kind's rules; `details.causes` name the fields (422).
    public static let invalid = StatusReason(rawValue: "Invalid")
    /// The request itself is malformed (400).
    public static let badRequest = StatusReason(rawValue: "BadRequest")
    /// The credentials are missing or wrong (401).
    public static let unauthorized = StatusReason(rawValue: "Unauthorized")
    /// The user may not do that (403).
    public static let forbidden = StatusReason(rawValue: "Forbidden")
    /// The verb does not exist for this resource (405).
    public static let methodNotAllowed = StatusReason(rawValue: "MethodNotAllowed")
    /// The body is larger than the server takes (413).
    public static let requestEntityTooLarge = StatusReason(rawValue: "RequestEntityTooLarge")
    /// The server knows none of the body's media types (415).
    public static let unsupportedMediaType = StatusReason(rawValue: "UnsupportedMediaType")
    /// The client sends too much (429).
    public static let tooManyRequests = StatusReason(rawValue: "TooManyRequests")
    /// The server failed (500).
    public static let internalError = StatusReason(rawValue: "InternalError")
    /// The server gave up, the outcome of a write is unknown (504, or 500 with this reason).
    public static let timeout = StatusReason(rawValue: "Timeout")
    /// The server cannot do it now and did not do it (500 or 504).
    public static let serverTimeout = StatusReason(rawValue: "ServerTimeout")
    /// The server is not there yet or overloaded (503).
    public static let serviceUnavailable = StatusReason(rawValue: "ServiceUnavailable")
}

/// What a failed request was about.
public struct StatusDetails: Codable, Hashable, Sendable {
    /// The object's name.
    @OmitEmpty public var name: String
    /// The API group.
    @OmitEmpty public var group: String
    /// The plural of the resource (despite its name).
    @OmitEmpty public var kind: String
    /// The object's uid.
    @OmitEmpty public var uid: String
    /// Each cause, in the server's order.
    @OmitEmpty public var causes: [StatusCause]
    /// After how many seconds a retry may be worth it.
    public var retryAfterSeconds: Int?

    /// Makes details.
    public init(
        name: String = "", group: String = "", kind: String = "", uid: String = "", causes: [StatusCause] = [],
        retryAfterSeconds: Int? = nil
    ) {
        self.name = name
        self.group = group
        self.kind = kind
        self.uid = uid
        self.causes = causes
        self.retryAfterSeconds = retryAfterSeconds
    }
}

/// One cause of a failed request.
public struct StatusCause: Codable, Hashable, Sendable {
    /// The cause for programs, such as `FieldValueInvalid`.
    @OmitEmpty public var reason: String
    /// The cause for people.
    @OmitEmpty public var message: String
    /// The path of the field it concerns, such as `spec.replicas`.
    @OmitEmpty public var field: String

    /// Makes a cause.
    public init(reason: String = "", message: String = "", field: String = "") {
        self.reason = reason
        self.message = message
        self.field = field
    }
}
