import Cryptography
import Glibc
import Synchronization

/// One artifact on its way to disk.
///
/// One task writes; a file that was not finished goes with the last reference.
final class ArtifactUpload: Sendable {
    private let digest: String
    private let temporary: String
    private let final: String
    private let folder: String
    private let bytesMaximum: Int
    private let descriptor: Int32
    private let state: Mutex<State>

    private struct State: ~Copyable {
        let hasher = SHA256Hasher()
        var sizeBytes = 0
        var isFinished = false
    }

    init(
        digest: String, temporary: String, final: String, folder: String, bytesMaximum: Int
    ) throws(ArtifactFolderError) {
        self.digest = digest
        self.temporary = temporary
        self.final = final
        self.folder = folder
        self.bytesMaximum = bytesMaximum
        descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        state = Mutex(State())
        guard descriptor >= 0 else { throw ArtifactFolderError(call: "open", code: errno) }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
        if !state.withLock({ $0.isFinished }) { unlink(temporary) }
    }

    /// Adds a piece.
    ///
    /// Blocks while it is written.
    func write(_ bytes: [UInt8]) throws(ArtifactFolderError) {
        let size = state.withLock { state in
            state.hasher.update(bytes)
            state.sizeBytes += bytes.count
            return state.sizeBytes
        }
        guard size <= bytesMaximum else { throw .tooLarge }
        try writeAll(bytes, to: descriptor)
    }

    /// Checks the digest, makes sure that the content is on disk and gives the file its name.
    func finish() throws(ArtifactFolderError) {
        let found = state.withLock { $0.hasher.finalize().hex }
        guard found == digest else { throw .wrongDigest(found) }
        guard fsync(descriptor) == 0 else { throw ArtifactFolderError(call: "fsync", code: errno) }
        try ArtifactFolder.place(temporary, at: final, in: folder)
        state.withLock { $0.isFinished = true }
    }
}
