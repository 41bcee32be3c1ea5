public import HTTP
public import KubernetesTypes

/// Why a request to the Kubernetes API failed, by what the caller can do about it.
public enum KubernetesError: Error, Sendable {
    /// The server answered, and refused.
    case api(APIStatus)
    /// No complete answer came.
    case transport(HTTPClientError, during: String)
    /// The answer is not what its kind looks like.
    case decoding(String, during: String)
    /// The request cannot be made: an empty name, a value that has no JSON form.
    case invalidRequest(String)
    /// There is no usable configuration or credential.
    case configuration(String)

    /// The server's status, when it answered.
    public var status: APIStatus? {
        if case .api(let status) = self { status } else { nil }
    }

    /// The object (or the collection) does not exist.
    public var isNotFound: Bool { has(.notFound, 404) }
    /// An object of that name exists already.
    public var isAlreadyExists: Bool { status?.reason == .alreadyExists }
    /// The object changed since it was read, or a field belongs to another manager.
    public var isConflict: Bool { status?.reason == .conflict || has(nil, 409) }
    /// The version or continue token is too old: list again.
    public var isExpired: Bool { status?.reason == .expired || status?.reason == .gone || has(nil, 410) }
    /// The object breaks the rules of its kind; the status' causes name the fields.
    public var isInvalid: Bool { has(.invalid, 422) }
    /// The credentials are missing or wrong.
    public var isUnauthorized: Bool { has(.unauthorized, 401) }
    /// We may not do that: a rule of RBAC is missing.
    public var isForbidden: Bool { has(.forbidden, 403) }
    /// We ask too much: come back later.
    public var isTooManyRequests: Bool { has(.tooManyRequests, 429) }
    /// The server does not yet know the version asked for: ask again soon, or without a version.
    public var isVersionTooLarge: Bool {
        guard let status else { return false }
        if status.details?.causes.contains(where: { $0.reason == "ResourceVersionTooLarge" }) == true { return true }
        return status.code == 504 && status.message.contains("Too large resource version")
    }

    /// How long the server asked us to wait.
    public var retryAfter: Duration? {
        (status?.details?.retryAfterSeconds).map { .seconds(min(max($0, 0), Self.retryAfterSecondsMaximum)) }
    }

    /// A day: a longer wait that somebody asks for is not honoured.
    static let retryAfterSecondsMaximum = 86_400

    /// Whether the status has this reason or, where the server gave no reason, this code.
    private func has(_ reason: StatusReason?, _ code: Int) -> Bool {
        guard let status else { return false }
        if let given = status.reason, !given.rawValue.isEmpty { return given == reason }
        return status.code == code
    }
}

extension KubernetesError: CustomStringConvertible {
    /// One line for a person.
    public var description: String {
        switch self {
        case .api(let status):
            status.message.isEmpty
                ? "the API server answered \(status.code) \(status.reason?.rawValue ?? "")" : status.message
        case .transport(let error, let request): "\(request): \(error)"
        case .decoding(let reason, let request): "\(request): unexpected answer: \(reason)"
        case .invalidRequest(let reason): reason
        case .configuration(let reason): reason
        }
    }
}
