/// An amount for so many calls, and the only two divisions of money there are.
///
/// All arithmetic is in 128 bits: a product of two 64-bit numbers and one addend fit.
struct CallPrice: Hashable, Sendable {
    /// Units for ``calls`` calls; at least 1.
    let amount: UInt64
    /// How many calls; at least 1.
    let calls: UInt64

    /// Makes a price; nil when a part is 0.
    init?(amount: UInt64, calls: UInt64) {
        guard amount >= 1, calls >= 1 else { return nil }
        self.amount = amount
        self.calls = calls
    }

    init(of terms: PriceTerms) {
        amount = terms.amount
        calls = terms.calls
    }

    /// What calls cost together: rounded up, so that a begun unit is the payee's.
    func charge(for count: UInt64) -> UInt128 {
        Self.quotientRoundedUp(UInt128(count) * UInt128(amount), calls)
    }

    /// How many calls money buys: rounded down, so that `charge(for: callsBought(by: m)) <= m`, always.
    ///
    /// - Parameters:
    ///   - money: Units.
    ///   - prepaid: Parts of a unit that were paid before, each one ``calls``-th.
    func callsBought(by money: UInt64, prepaid: UInt64 = 0) -> UInt64 {
        UInt64(clamping: (UInt128(money) * UInt128(calls) + UInt128(prepaid)) / UInt128(amount))
    }

    /// Divides rounding up; the dividend is at most (2^64 − 1)², so that the addition has room.
    static func quotientRoundedUp(_ dividend: UInt128, _ divisor: UInt64) -> UInt128 {
        (dividend + UInt128(divisor - 1)) / UInt128(divisor)
    }
}
