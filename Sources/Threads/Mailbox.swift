import Glibc

/// A bounded queue that one thread waits at.
///
/// SAFETY: `mutex` guards all other fields; the two C objects have one address for the life of this object.
public final class Mailbox<Letter>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private let weightMaximum: Int
    private var letters: [(letter: Letter, weight: Int)] = []
    private var weight = 0
    private var isClosed = false

    /// What became of a letter.
    public enum Acceptance {
        /// It is inside.
        case accepted
        /// It is not: too much waits.
        case full
        /// It is not: nobody takes letters any more.
        case closed
    }

    /// Makes an empty mailbox.
    ///
    /// - Parameter weightMaximum: The weight of all letters that may wait.
    public init(weightMaximum: Int) {
        self.weightMaximum = weightMaximum
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Puts a letter in; never waits.
    public func put(_ letter: sending Letter, weight: Int) -> Acceptance {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        guard !isClosed else { return .closed }
        guard self.weight + weight <= weightMaximum else { return .full }
        letters.append((letter, weight))
        self.weight += weight
        if letters.count == 1 { pthread_cond_signal(condition) }
        return .accepted
    }

    /// Waits for letters and takes all of them; nil when the mailbox is closed and empty.
    public func takeAll() -> [Letter]? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while letters.isEmpty {
            guard !isClosed else { return nil }
            pthread_cond_wait(condition, mutex)
        }
        let taken = letters.map(\.letter)
        letters.removeAll(keepingCapacity: true)
        weight = 0
        return taken
    }

    /// Takes no more letters; those inside can still be taken.
    public func close() {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        isClosed = true
        pthread_cond_signal(condition)
    }
}
