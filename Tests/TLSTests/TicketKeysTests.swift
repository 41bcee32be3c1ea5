import Testing

@testable import TLS

@Suite("Ticket keys")
struct TicketKeysTests {
    private func find(_ keys: TicketKeys, _ key: TicketKeys.Key?, at now: UInt64) -> Bool? {
        key?.name.withUnsafeBufferPointer { keys.key(named: $0, at: now)?.isOld }
    }

    @Test("A key is given out for its turn, known for a session longer, and then forgotten")
    func turns() {
        var keys = TicketKeys()
        var counter: UInt8 = 0
        func random(_ count: Int) -> [UInt8]? {
            counter += 1
            return Array(repeating: counter, count: count)
        }
        let turn = TicketKeys.turnSeconds
        let session = UInt64(ContextSettings.sessionSeconds)

        let first = keys.current(at: 10, random: random)
        let same = keys.current(at: 10 + turn - 1, random: random)
        let isOldEarly = find(keys, first, at: 10 + turn - 1)
        let second = keys.current(at: 10 + turn, random: random)
        let isOldLater = find(keys, first, at: 10 + turn)
        let isOldAtTheEnd = find(keys, first, at: 10 + turn + session - 1)
        let isKnownTooLate = find(keys, first, at: 10 + turn + session)
        let third = keys.current(at: 10 + 2 * turn, random: random)

        #expect(first == same)
        #expect(first != second && second != third)
        #expect(isOldEarly == false)
        #expect(isOldLater == true)
        #expect(isOldAtTheEnd == true)
        #expect(isKnownTooLate == nil)
        #expect(find(keys, second, at: 10 + 2 * turn) == true)
        #expect(find(keys, first, at: 10 + 2 * turn) == nil)
    }

    @Test("A server that was idle for long knows its last key no more")
    func idle() {
        var keys = TicketKeys()
        let key = keys.current(at: 0) { Array(repeating: 1, count: $0) }

        let found = find(keys, key, at: 1_000_000)

        #expect(found == nil)
    }

    @Test("Without randomness no key is made, and the present one still serves")
    func randomness() {
        var keys = TicketKeys()

        let none = keys.current(at: 0) { _ in nil }
        let some = keys.current(at: 0) { Array(repeating: 1, count: $0) }
        let due = keys.current(at: TicketKeys.turnSeconds) { _ in nil }

        #expect(none == nil)
        #expect(some != nil)
        #expect(due == nil)
        #expect(find(keys, some, at: TicketKeys.turnSeconds) == true)
    }
}
