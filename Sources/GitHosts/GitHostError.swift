/// Why a Git host's API did not do what it was asked, by what the caller can do about it.
///
/// Texts name the host and repeat at most a line of its answer; never a token.
public enum GitHostError: Error, Hashable, Sendable, CustomStringConvertible {
    /// It may work later; after the time that the host asks for, if it asks for one.
    case later(String, after: Duration?)
    /// It will not work until somebody changes something.
    case refused(String)
    /// The token is not, or no longer, good.
    case unauthorized(String)

    /// One line for a person.
    public var description: String {
        switch self {
        case .later(let message, _), .refused(let message), .unauthorized(let message): message
        }
    }
}
