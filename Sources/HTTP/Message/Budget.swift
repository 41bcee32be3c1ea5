import Synchronization

/// How much of something this process holds at once, over all who ask for it: bytes of bodies, say, or open streams.
public final class Budget: Sendable {
    private let left: Mutex<Int>

    /// Makes a budget of which nothing is taken.
    public init(_ amount: Int) { left = Mutex(amount) }

    /// What one request holds of a budget; all of it goes back with the last reference at the latest.
    public final class Share: Sendable {
        private let budget: Budget
        private let held = Mutex(0)

        /// Makes a share that holds nothing yet.
        public init(of budget: Budget) { self.budget = budget }

        deinit { giveBack() }

        /// Takes more.
        ///
        /// - Returns: Whether so much was left; else nothing is taken.
        public func take(_ amount: Int = 1) -> Bool {
            let isLeft = budget.left.withLock { left in
                guard amount <= left else { return false }
                left -= amount
                return true
            }
            if isLeft { held.withLock { $0 += amount } }
            return isLeft
        }

        /// Gives back all that was taken.
        public func giveBack() {
            let amount = held.withLock { held in
                defer { held = 0 }
                return held
            }
            budget.left.withLock { $0 += amount }
        }
    }
}
