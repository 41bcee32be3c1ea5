import Cryptography
import Synchronization
import Telemetry

/// The one name and password that open everything: files of a mounted Secret, as OpenFaaS' gateway has them.
///
/// Without both files, or with a password that could be guessed, nobody is let in this way. There is no default.
final class BasicCredentials: Sendable {
    /// The file with the name.
    static let userFile = "basic-auth-user"
    /// The file with the password.
    static let passwordFile = "basic-auth-password"
    /// Guessing a shorter one over the network could pay.
    static let passwordBytesMinimum = 16
    /// After this time a new password counts, and the old one does not.
    static let lifetime = Duration.seconds(10)

    /// Hashes, so that a comparison takes the same time whatever was sent.
    private struct Pair {
        let user: [UInt8]
        let password: [UInt8]
    }

    private struct State {
        var pair: Pair?
        var readAt: ContinuousClock.Instant?
        var hasWarned = false
    }

    private let folder: String
    private let lifetime: Duration
    private let state = Mutex(State())
    private let logger = Logger(label: "admin")

    /// - Parameters:
    ///   - folder: Where the files are mounted.
    ///   - lifetime: For how long what was read counts.
    init(folder: String, lifetime: Duration = BasicCredentials.lifetime) {
        self.folder = folder
        self.lifetime = lifetime
    }

    /// Whether there is a name and a password at all.
    var isSetUp: Bool { current() != nil }

    /// Whether these are the name and the password; takes the same time for each guess.
    func admits(user: [UInt8], password: [UInt8]) -> Bool {
        guard let pair = current() else { return false }
        let isUser = constantTimeEquals(SHA256.hash(of: user).bytes, pair.user)
        let isPassword = constantTimeEquals(SHA256.hash(of: password).bytes, pair.password)
        return isUser && isPassword
    }

    private func current() -> Pair? {
        state.withLock { state in
            if let readAt = state.readAt, readAt.duration(to: .now) < lifetime { return state.pair }
            state.readAt = .now
            state.pair = read(&state)
            return state.pair
        }
    }

    /// Two small files of a file system in memory: no wait worth a thread.
    private func read(_ state: inout State) -> Pair? {
        guard let user = SecretFile.read(folder + "/" + Self.userFile),
            let password = SecretFile.read(folder + "/" + Self.passwordFile)
        else { return nil }
        guard password.count >= Self.passwordBytesMinimum else {
            if !state.hasWarned {
                logger.warning(
                    "The password is too short and opens nothing",
                    ["file": folder + "/" + Self.passwordFile, "bytesMinimum": Self.passwordBytesMinimum])
            }
            state.hasWarned = true
            return nil
        }
        state.hasWarned = false
        return Pair(user: SHA256.hash(of: user).bytes, password: SHA256.hash(of: password).bytes)
    }
}
