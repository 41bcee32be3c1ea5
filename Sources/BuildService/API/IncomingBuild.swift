import Cryptography
import Glibc
import HTTP
import Synchronization

/// The body of a request on its way to disk, with the code that proves who sent it.
///
/// One task writes. The file goes with the last reference.
final class IncomingBuild: Sendable {
    /// Where the bytes are.
    let path: String
    private let descriptor: Int32
    private let bytesMaximum: Int
    /// What it takes of the disk, and what is made of it before the build.
    let share: Budget.Share
    private let state: Mutex<State>

    private struct State: ~Copyable {
        let hasher: HMACHasher
        var sizeBytes = 0
    }

    /// - Parameters:
    ///   - key: What the client signs with.
    ///   - room: For all requests together.
    init(path: String, key: [UInt8], bytesMaximum: Int, room: Budget) throws(ArtifactFolderError) {
        self.path = path
        share = Budget.Share(of: room)
        self.bytesMaximum = bytesMaximum
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        state = Mutex(State(hasher: HMACHasher(key: key)))
        guard descriptor >= 0 else { throw ArtifactFolderError(call: "open", code: errno) }
    }

    deinit {
        if descriptor >= 0 {
            close(descriptor)
            unlink(path)
        }
    }

    /// Adds a piece.
    ///
    /// Blocks while it is written.
    ///
    /// - Throws: ``ArtifactFolderError``, or ``BuildRefusal`` when there is no room for it.
    func write(_ bytes: [UInt8]) throws {
        let size = state.withLock { state in
            state.hasher.update(bytes)
            state.sizeBytes += bytes.count
            return state.sizeBytes
        }
        guard size <= bytesMaximum else { throw ArtifactFolderError.tooLarge }
        guard share.take(bytes.count) else { throw BuildRefusal.noRoom }
        try writeAll(bytes, to: descriptor)
    }

    /// The code over all bytes so far.
    var code: [UInt8] { state.withLock { $0.hasher.finalize() } }
}

/// Writes all bytes to an open file.
func writeAll(_ bytes: [UInt8], to descriptor: Int32) throws(ArtifactFolderError) {
    var done = 0
    while done < bytes.count {
        let count = bytes.withUnsafeBytes { buffer in
            Glibc.write(descriptor, buffer.baseAddress?.advanced(by: done), bytes.count - done)
        }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { throw ArtifactFolderError(call: "write", code: errno) }
        done += count
    }
}

/// The signature of a request: `X-Build-Signature: sha256=<64 hex digits>` over its raw body.
struct BuildSignature: Sendable, Hashable {
    static let field = "X-Build-Signature"

    let code: [UInt8]

    /// Reads the field.
    ///
    /// - Throws: ``BuildRefusal`` with 401. SHA-1, which the ancestor of this API took, is refused.
    init(_ field: String?) throws(BuildRefusal) {
        guard let field else {
            throw BuildRefusal(
                .unauthorized, "the request is not signed: send \(Self.field): sha256=<hex HMAC-SHA256 of the body>")
        }
        let parts = field.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2, parts[0] == "sha256", parts[1].utf8.count == 64,
            let code = Hex.decode(parts[1].lowercased())
        else {
            throw BuildRefusal(.unauthorized, "\(Self.field) must be sha256= and 64 hex digits")
        }
        self.code = code
    }

    /// Whether this is the signature of what has that code, in constant time.
    func matches(_ code: [UInt8]) -> Bool { constantTimeEquals(self.code, code) }
}
