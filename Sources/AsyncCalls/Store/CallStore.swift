public import Timing

/// Where calls wait that were promised to be made.
///
/// What ``accept(_:)`` returned for is made at least once, whatever is killed. A call that was taken comes back when its
/// taker is gone; so one that was under way then is made twice.
public protocol CallStore: Sendable {
    /// How often a taker says that it still works on a call; nil where nobody else could take it meanwhile.
    var extensionInterval: Duration? { get }

    /// Keeps a call; it is durable when this returns.
    func accept(_ call: AsyncCall) async throws(CallStoreError)

    /// The lanes in which something waits or is under way.
    func lanes() async throws(CallStoreError) -> [CallLane]

    /// Takes the next call of a lane that is due, waiting for one.
    ///
    /// - Parameters:
    ///   - lane: The lane.
    ///   - wait: How long to wait; the wait also ends when the task is cancelled.
    /// - Returns: Nil when none came.
    func next(in lane: CallLane, within wait: Duration) async throws(CallStoreError) -> CallLease?

    /// Reads the call that was taken; nil when it is gone.
    func load(_ lease: CallLease) async throws(CallStoreError) -> AsyncCall?

    /// Says that the call is still worked on.
    func extend(_ lease: CallLease) async

    /// Ends a call that was made, and keeps what follows from it, in one step.
    func finish(_ lease: CallLease, followedBy next: AsyncCall?) async throws(CallStoreError)

    /// Gives a call back that is to be tried again after a while.
    func postpone(_ lease: CallLease, for wait: Duration) async throws(CallStoreError)

    /// Gives a call back that was not tried.
    func release(_ lease: CallLease) async

    /// Puts a call away that is not tried again, and keeps what follows from that.
    func bury(
        _ lease: CallLease, _ call: AsyncCall, reason: String, followedBy next: AsyncCall?
    ) async throws(CallStoreError)

    /// Calls that were put away, oldest first.
    ///
    /// - Parameters:
    ///   - cursor: Where the page before ended; nil at first.
    ///   - limit: How many at most.
    func dead(after cursor: UInt64?, limit: Int) async throws(CallStoreError) -> [DeadCall]

    /// One call that was put away, by its own id.
    func dead(id: String) async throws(CallStoreError) -> DeadCall?

    /// Has a call that was put away made after all, as a new one.
    ///
    /// - Returns: Its lane; nil when there is no such call.
    func replay(id: String) async throws(CallStoreError) -> CallLane?

    /// Forgets a call that was put away.
    ///
    /// - Returns: Whether there was such a call.
    func drop(id: String) async throws(CallStoreError) -> Bool

    /// How much there is.
    func counts() async throws(CallStoreError) -> CallCounts

    /// Lets go of everything; what was taken comes back.
    func close() async
}

/// A call that was taken.
public struct CallLease: Sendable, Hashable {
    /// The store's own name for it.
    public let ticket: String
    /// The lane it was taken from.
    public let lane: CallLane
    /// Which attempt this is, counted from 1.
    public let attempt: Int
    /// The call as it was stored, where the store hands it over at once.
    let envelope: [UInt8]?

    init(ticket: String, lane: CallLane, attempt: Int, envelope: [UInt8]? = nil) {
        self.ticket = ticket
        self.lane = lane
        self.attempt = attempt
        self.envelope = envelope
    }
}

/// A call that is not tried again.
public struct DeadCall: Sendable, Hashable {
    /// Where it stands in the list.
    public let cursor: UInt64
    /// The call.
    public let call: AsyncCall
    /// How often it was tried.
    public let attempts: Int
    /// When it was put away.
    public let diedAt: Timestamp
    /// Why.
    public let reason: String
}

/// How much a store holds.
public struct CallCounts: Sendable, Hashable {
    /// Calls that wait, those under way included.
    public var waiting: Int
    /// Calls that were put away.
    public var dead: Int

    /// Counts.
    public init(waiting: Int, dead: Int) {
        self.waiting = waiting
        self.dead = dead
    }
}

/// Why a store did not do what it was asked.
public enum CallStoreError: Error, Hashable, Sendable {
    /// More waits than is taken on, in all or of this function; later there may be room.
    case full(String)
    /// The store does not work, as the text says. Whether it was done is not known.
    case unavailable(String)
}

extension CallStoreError: CustomStringConvertible {
    /// One line for a person.
    public var description: String {
        switch self {
        case .full(let text): text
        case .unavailable(let text): "the store of calls does not work: \(text)"
        }
    }
}
