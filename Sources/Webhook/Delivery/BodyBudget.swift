import Synchronization

/// How many bytes of request bodies may be held at once, so that nobody can fill the memory before a signature is checked.
final class BodyBudget: Sendable {
    private let left: Mutex<Int>

    init(bytesMaximum: Int) {
        left = Mutex(bytesMaximum)
    }

    /// Takes `bytes` of the budget; false when so much is not left.
    func take(_ bytes: Int) -> Bool {
        left.withLock { left in
            guard bytes <= left else { return false }
            left -= bytes
            return true
        }
    }

    /// Gives back what was taken.
    func give(_ bytes: Int) {
        left.withLock { $0 += bytes }
    }
}
