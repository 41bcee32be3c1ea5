/// The money and the calls of one function in one asset, and every rule of how one becomes the other.
///
/// Money comes in to the balance and leaves it when calls are sold. What calls cost is rounded up once over all calls sold at
/// one price, never per call: ``prepaid`` keeps the part of the last unit that is not used up. Bonus calls are calls sold
/// before they are paid; the next money that comes in pays for them first. No field ever goes below zero.
struct CallAccount: Hashable, Sendable {
    /// What calls cost now; nil until the first lease.
    var price: CallPrice?
    /// Counts the changes of ``price``.
    var epoch: UInt64 = 0
    /// Money that no call has used, in units of the asset.
    var balance: UInt64 = 0
    /// What has left the balance and paid for no whole call yet, in parts of one unit: one ``CallPrice/calls``-th each.
    var prepaid: UInt64 = 0
    /// Calls sold that nobody has paid for.
    var unpaidCalls: UInt64 = 0
    /// Calls sold since the account began.
    var soldCalls: UInt64 = 0
    /// Calls out on lease at ``price``.
    var leasedCalls: UInt64 = 0
    /// What is out on leases that were made at earlier prices.
    var older = OlderLeases()

    /// Leases of earlier prices: they are charged at their own price, from money kept for them.
    struct OlderLeases: Hashable, Sendable {
        /// Their calls.
        var calls: UInt64 = 0
        /// How many of the calls no kept money covers.
        var uncoveredCalls: UInt64 = 0
        /// The part of the balance that is kept for them.
        var held: UInt64 = 0
        /// As ``CallAccount/prepaid``, in parts of ``price``.
        var prepaid: UInt64 = 0
        /// The earlier price; the last one charged, if there are several.
        var price: CallPrice?
    }

    /// Calls sold and leased stay below this, so that no count of them can overflow.
    static let callsMaximum = UInt64(1) << 62

    /// Money that may be used for calls at the price of now.
    private var free: UInt64 { Self.difference(balance, older.held) }

    /// Calls that may still be leased.
    ///
    /// - Parameter bonus: How many may go ahead of the money.
    func remainingCalls(bonus: UInt64) -> UInt64 {
        let bought = price.map { $0.callsBought(by: free, prepaid: prepaid) } ?? 0
        let all = UInt128(bonus) + UInt128(bought)
        let used = UInt128(unpaidCalls) + UInt128(leasedCalls) + UInt128(older.uncoveredCalls)
        return all > used ? UInt64(clamping: all - used) : 0
    }

    /// Takes money in and pays for unpaid calls.
    ///
    /// - Returns: What left the balance for calls that were sold before.
    /// - Throws: `.invalid` when the balance would leave 64 bits; then nothing has changed.
    mutating func add(_ amount: UInt64) throws(LedgerError) -> UInt64 {
        let (sum, overflow) = balance.addingReportingOverflow(amount)
        guard !overflow else { throw .invalid("the balance would be more than 64 bits can hold") }
        balance = sum
        return collect()
    }

    /// Reserves calls, at a price that is from now on the account's.
    ///
    /// - Returns: How many: from 1 to `wish`.
    /// - Throws: `.exhausted` when none is left.
    mutating func reserve(_ wish: UInt64, terms: PriceTerms) throws(LedgerError) -> UInt64 {
        reprice(CallPrice(of: terms))
        let granted = min(wish, remainingCalls(bonus: terms.bonusCalls))
        guard granted > 0 else { throw .exhausted }
        guard soldCalls < Self.callsMaximum, leasedCalls < Self.callsMaximum else {
            throw .invalid("the account has sold more calls than can be counted")
        }
        leasedCalls += granted
        return granted
    }

    /// Ends a lease: `spent` of its calls are sold.
    ///
    /// - Returns: What left the balance.
    mutating func settle(_ lease: StoredLease, spent: UInt64) -> UInt64 {
        var taken: UInt64 = 0
        if lease.epoch == epoch {
            leasedCalls = Self.difference(leasedCalls, lease.calls)
            unpaidCalls = Self.sum(unpaidCalls, spent)
        } else {
            older.calls = Self.difference(older.calls, lease.calls)
            taken = chargeOlder(spent, at: lease.price)
            if older.calls == 0 { closeOlder() }
        }
        soldCalls = Self.sum(soldCalls, spent)
        return Self.sum(taken, collect())
    }

    /// Sells calls without a lease, as if one had been settled at once.
    ///
    /// - Returns: What left the balance.
    mutating func sell(_ count: UInt64, at price: CallPrice) -> UInt64 {
        reprice(price)
        unpaidCalls = Self.sum(unpaidCalls, count)
        soldCalls = Self.sum(soldCalls, count)
        return collect()
    }

    /// Changes the price.
    ///
    /// What is out on lease keeps the old one, and money is kept for it.
    mutating func reprice(_ new: CallPrice) {
        guard price != new else { return }
        if let old = price {
            if leasedCalls > 0 { keepForLeases(old) }
            prepaid = Self.converted(prepaid, from: old, to: new)
        }
        price = new
        epoch += 1
    }

    /// Sets aside what is out on lease at a price that ends, with the begun unit and the money it takes.
    private mutating func keepForLeases(_ old: CallPrice) {
        if let oldest = older.price { older.prepaid = Self.converted(older.prepaid, from: oldest, to: old) }
        // With unpaid calls there is no free money, and the begun unit is theirs.
        let begun = unpaidCalls == 0 ? prepaid : 0
        let needed = UInt128(leasedCalls) * UInt128(old.amount)
        let wanted =
            needed > UInt128(begun) ? CallPrice.quotientRoundedUp(needed - UInt128(begun), old.calls) : 0
        let kept = UInt64(clamping: min(wanted, UInt128(free)))
        let covered = old.callsBought(by: kept, prepaid: begun)
        older.uncoveredCalls = Self.sum(older.uncoveredCalls, Self.difference(leasedCalls, covered))
        older.held = Self.sum(older.held, kept)
        older.prepaid = Self.sum(older.prepaid, begun)
        older.calls = Self.sum(older.calls, leasedCalls)
        older.price = old
        prepaid -= begun
        leasedCalls = 0
    }

    /// Gives back what was kept, when the last lease of an earlier price has ended.
    private mutating func closeOlder() {
        if let price, let earlier = older.price {
            prepaid = Self.sum(prepaid, Self.converted(older.prepaid, from: earlier, to: price))
        }
        older = OlderLeases()
    }

    /// Moves out of the balance what unpaid calls cost, as far as it reaches.
    ///
    /// - Returns: How much that was.
    private mutating func collect() -> UInt64 {
        guard let price, unpaidCalls > 0 else { return 0 }
        let needed = UInt128(unpaidCalls) * UInt128(price.amount)
        var paidParts = UInt128(prepaid)
        var taken: UInt64 = 0
        if paidParts < needed {
            let wanted = CallPrice.quotientRoundedUp(needed - paidParts, price.calls)
            taken = UInt64(clamping: min(wanted, UInt128(free)))
            paidParts += UInt128(taken) * UInt128(price.calls)
        }
        let paidCalls = min(unpaidCalls, UInt64(clamping: paidParts / UInt128(price.amount)))
        paidParts -= UInt128(paidCalls) * UInt128(price.amount)
        unpaidCalls -= paidCalls
        balance -= taken
        prepaid = UInt64(clamping: paidParts)
        return taken
    }

    /// Charges calls of a lease of an earlier price, from the money that is kept; calls beyond it become unpaid ones.
    private mutating func chargeOlder(_ spent: UInt64, at price: CallPrice) -> UInt64 {
        let begun = older.price.map { Self.converted(older.prepaid, from: $0, to: price) } ?? 0
        let needed = UInt128(spent) * UInt128(price.amount)
        var paidParts = UInt128(begun)
        var taken: UInt64 = 0
        if paidParts < needed {
            let wanted = CallPrice.quotientRoundedUp(needed - paidParts, price.calls)
            taken = UInt64(clamping: min(wanted, UInt128(min(older.held, balance))))
            paidParts += UInt128(taken) * UInt128(price.calls)
        }
        let covered = min(spent, UInt64(clamping: paidParts / UInt128(price.amount)))
        older.price = price
        older.prepaid = UInt64(clamping: paidParts - UInt128(covered) * UInt128(price.amount))
        older.held -= taken
        balance -= taken
        unpaidCalls = Self.sum(unpaidCalls, spent - covered)
        older.uncoveredCalls = Self.difference(older.uncoveredCalls, spent - covered)
        return taken
    }

    /// The same part of a unit in the parts of another price; what is less than one of them is the payee's.
    private static func converted(_ parts: UInt64, from old: CallPrice, to new: CallPrice) -> UInt64 {
        UInt64(clamping: UInt128(parts) * UInt128(new.calls) / UInt128(old.calls))
    }

    /// A difference that ends at zero: a damaged row of a store must not trap.
    private static func difference(_ left: UInt64, _ right: UInt64) -> UInt64 { left > right ? left - right : 0 }

    /// A sum that ends at the maximum.
    private static func sum(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? .max : sum
    }
}
