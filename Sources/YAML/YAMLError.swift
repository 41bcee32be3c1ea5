/// Why a text could not become a value.
///
/// Messages name keys and places, never values: a value may be a secret.
public enum YAMLError: Error, Hashable, Sendable {
    /// The text is not YAML, or has what this reader refuses: keys twice, unknown tags, keys that are no scalars.
    case malformed(reason: String, location: YAMLLocation)
    /// The text may be YAML, but passes a limit of the reader.
    case limitExceeded(reason: String, location: YAMLLocation)
    /// The YAML does not have the shape that the type asked for; `path` names the field, as in `functions.hello.image`.
    case mismatch(path: String, reason: String, location: YAMLLocation)
    /// The Swift value has no YAML form.
    case unencodable(path: String, reason: String)
}

extension YAMLError: CustomStringConvertible {
    /// One line for a person: where, then what.
    public var description: String {
        switch self {
        case .malformed(let reason, let location), .limitExceeded(let reason, let location):
            "\(location): \(reason)"
        case .mismatch(let path, let reason, let location):
            path.isEmpty ? "\(location): \(reason)" : "\(location): \(path): \(reason)"
        case .unencodable(let path, let reason):
            path.isEmpty ? reason : "\(path): \(reason)"
        }
    }
}
