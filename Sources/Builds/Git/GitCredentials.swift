/// What a private repository asks for.
///
/// It has no description: interpolating it into a message shows nothing.
public enum GitCredentials: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    /// For http and https: a user and a password or token.
    case basic(username: String, password: String)
    /// For SSH: a private key without passphrase, and the keys of hosts as lines of a `known_hosts` file.
    case ssh(privateKey: String, knownHosts: String)

    /// Never the values.
    public var description: String { "(credentials)" }
    /// Shows nothing.
    public var customMirror: Mirror { Mirror(self, children: [:]) }

    /// What must not appear in any text.
    public var secrets: [String] {
        switch self {
        case .basic(let username, let password): [password, username + ":" + password]
        case .ssh(let privateKey, _): [privateKey]
        }
    }
}
