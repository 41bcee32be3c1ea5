import HTTP
import Synchronization

/// Counts the bytes that requests have on the disk until their build begins, over all of them.
///
/// A request's signature is known only once all of it is there, so strangers could fill the disk before that. What is
/// counted is what was written and not what was announced: who only says that much will come takes nobody's room.
final class UploadRoom: Sendable {
    private let bytesMaximum: Int
    private let taken = Mutex(0)

    init(bytesMaximum: Int) { self.bytesMaximum = bytesMaximum }

    /// The bytes in use.
    var takenBytes: Int { taken.withLock { $0 } }

    /// One request's part, which it gives back when it goes.
    final class Share: Sendable {
        private let room: UploadRoom
        private let bytes = Mutex(0)

        init(of room: UploadRoom) { self.room = room }

        deinit { room.giveBack(bytes.withLock { $0 }) }

        /// Takes more before it is written.
        ///
        /// - Throws: ``BuildRefusal`` with 429 when the others left no room.
        func take(_ count: Int) throws(BuildRefusal) {
            guard room.take(count) else {
                throw BuildRefusal(.tooManyRequests, "the builder receives too much at once; send it again")
            }
            bytes.withLock { $0 += count }
        }
    }

    private func take(_ count: Int) -> Bool {
        taken.withLock { taken in
            guard count <= bytesMaximum - taken else { return false }
            taken += count
            return true
        }
    }

    private func giveBack(_ count: Int) { taken.withLock { $0 -= count } }
}
