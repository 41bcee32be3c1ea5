/// Why there is no usable configuration.
public enum ConfigurationError: Error, Hashable, Sendable {
    /// A file that was asked for is missing or cannot be read.
    case unreadable(path: String, reason: String)
    /// A file is no kubeconfig.
    case malformed(path: String, reason: String)
    /// A name is used that nothing bears.
    case missing(what: String, name: String)
    /// Values contradict each other or are out of range.
    case invalid(String)
    /// There is neither a kubeconfig nor a service account.
    case nothingFound(String)
}

extension ConfigurationError: CustomStringConvertible {
    /// One line for a person, with what to do.
    public var description: String {
        switch self {
        case .unreadable(let path, let reason): "\(path) cannot be read: \(reason)"
        case .malformed(let path, let reason): "\(path) is no kubeconfig: \(reason)"
        case .missing(let what, let name): "the kubeconfig has no \(what) named '\(name)'"
        case .invalid(let reason): reason
        case .nothingFound(let reason): reason
        }
    }
}
