import Synchronization

/// How many bytes of bodies may be held at once while they arrive and are stored.
public final class ByteBudget: Sendable {
    private let left: Mutex<Int>

    /// Makes a budget.
    public init(_ bytes: Int) {
        left = Mutex(bytes)
    }

    /// Takes a part; false when so much is not left.
    public func take(_ bytes: Int) -> Bool {
        left.withLock { left in
            guard bytes <= left else { return false }
            left -= bytes
            return true
        }
    }

    /// Gives a part back.
    public func give(_ bytes: Int) {
        left.withLock { $0 += bytes }
    }
}
