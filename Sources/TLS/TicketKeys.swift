/// The keys under which clients keep their sessions (RFC 5077 §4): made at random, changed now and then, never stored.
///
/// Whoever learns such a key can read the connections that were resumed with it under TLS 1.2; that is why they are few
/// hours old at most. A replica knows its own keys only: a client that comes back to another one shakes hands anew.
struct TicketKeys {
    /// One key, told by its name.
    struct Key: Equatable {
        static let nameBytes = 16
        static let secretBytes = 32

        let name: [UInt8]
        let cipher: [UInt8]
        let authenticator: [UInt8]
        let madeAt: UInt64
    }

    /// A key is given out for so long: twice what a session lasts, so that there are two keys at most.
    static let turnSeconds = UInt64(2 * ContextSettings.sessionSeconds)

    private var newest: Key?
    private var previous: Key?

    /// The key for new tickets at `now`.
    ///
    /// - Parameters:
    ///   - now: Seconds of a clock that never goes back.
    ///   - random: Returns so many random bytes; `nil` when there are none.
    /// - Returns: `nil` when a key is due and there is no randomness: no ticket is given then.
    mutating func current(at now: UInt64, random: (Int) -> [UInt8]?) -> Key? {
        if let newest, now < newest.madeAt + Self.turnSeconds {
            return newest
        }
        guard let name = random(Key.nameBytes), let cipher = random(Key.secretBytes),
            let authenticator = random(Key.secretBytes)
        else { return nil }
        previous = newest
        newest = Key(name: name, cipher: cipher, authenticator: authenticator, madeAt: now)
        return newest
    }

    /// The key called `name`, and whether the client had better get a new ticket.
    ///
    /// - Returns: `nil` when it is unknown or past its time.
    func key(named name: UnsafeBufferPointer<UInt8>, at now: UInt64) -> (key: Key, isOld: Bool)? {
        if let newest, newest.name.elementsEqual(name), isValid(newest, at: now) {
            return (newest, now >= newest.madeAt + Self.turnSeconds)
        }
        if let previous, previous.name.elementsEqual(name), isValid(previous, at: now) {
            return (previous, true)
        }
        return nil
    }

    /// A ticket given in the last second of its key's turn is good for as long as a session lasts.
    private func isValid(_ key: Key, at now: UInt64) -> Bool {
        now < key.madeAt + Self.turnSeconds + UInt64(ContextSettings.sessionSeconds)
    }
}
