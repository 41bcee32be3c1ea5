import Cryptography
import HTTP
import Synchronization

/// One attempt at a call that the gateway makes to itself, and what became of it.
final class DispatchTicket: Sendable {
    private struct State {
        var isProxied = false
        var outcome: ProxyOutcome?
        var waiter: CheckedContinuation<ProxyOutcome?, Never>?
    }

    private let state = Mutex(State())

    /// The call goes to the function: its end will be told.
    func proxied() {
        state.withLock { $0.isProxied = true }
    }

    /// The call is over.
    func ended(_ outcome: ProxyOutcome) {
        let waiter = state.withLock { state in
            state.outcome = outcome
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: outcome)
    }

    /// What became of the call; nil when it was refused before any function saw it.
    ///
    /// To be asked once, when the answer is there: the end is told at the same time.
    func outcome() async -> ProxyOutcome? {
        await withCheckedContinuation { continuation in
            let (isKnown, outcome) = state.withLock { state -> (Bool, ProxyOutcome?) in
                guard state.isProxied, state.outcome == nil else { return (true, state.outcome) }
                state.waiter = continuation
                return (false, nil)
            }
            if isKnown { continuation.resume(returning: outcome) }
        }
    }
}

/// The attempts under way, by numbers that are part of their paths, and the secret that only this process knows.
final class DispatchTable: Sendable {
    /// The first segment of the path of each such call.
    let secret = Hex.encode(randomBytes(32))
    private let tickets = Mutex<(next: UInt64, open: [UInt64: DispatchTicket])>((1, [:]))

    /// Makes a ticket for an attempt.
    func issue() -> (number: UInt64, ticket: DispatchTicket) {
        let ticket = DispatchTicket()
        return tickets.withLock { tickets in
            defer { tickets.next += 1 }
            tickets.open[tickets.next] = ticket
            return (tickets.next, ticket)
        }
    }

    /// The attempt is over.
    func remove(_ number: UInt64) {
        tickets.withLock { $0.open[number] = nil }
    }

    /// The ticket with this number.
    func ticket(_ number: UInt64) -> DispatchTicket? {
        tickets.withLock { $0.open[number] }
    }
}
