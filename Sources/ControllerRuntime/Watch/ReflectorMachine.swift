import Timing

/// Decides what a list-and-watch does next: it takes what happened and says what to do, and does no I/O.
///
/// The rules are those of client-go's reflector (`tools/cache/reflector.go`), with the silence limit of kopf:
///
/// - The first list is served from the server's cache (version "0"), a relist asks for data no older than what was seen, and
///   only when the server cannot serve that version is one quorum read made.
/// - A watch that ends is resumed from the last version. It is relisted only when the server says the version is gone.
/// - Failures back off; a watch that ends at once without an event is a failure, so no tight loop can form.
///
/// It does not hold objects: the caller gathers pages and commits them when told to.
struct ReflectorMachine: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// What to do next.
    ///
    /// Each is answered by one of the events named.
    enum Action: Equatable, Sendable {
        /// Ask for one page; answer `page` or `listFailed`. Without a continuation a new list begins: what earlier
        /// pages brought is void.
        case list(ListRequest)
        /// Replace the store with the gathered objects, then open the watch.
        case commit(WatchRequest)
        /// Open a watch; answer `watchOpened` and what comes out of it, or `watchFailed`.
        case watch(WatchRequest)
        /// Do nothing for a while, then answer `resumed`.
        case pause(Duration)
        /// Keep reading the open watch.
        case proceed
    }

    /// One page of a list.
    struct ListRequest: Equatable, Sendable {
        var resourceVersion: String
        /// Objects per page; nil asks for all at once.
        var limit: Int?
        var continuation: String?
    }

    /// One watch.
    struct WatchRequest: Equatable, Sendable {
        var resourceVersion: String
        var timeout: Duration
    }

    /// What happened.
    enum Event: Sendable {
        case started
        case page(version: String, continuation: String?)
        case listFailed(Failure)
        case watchOpened
        case watchFailed(Failure)
        /// The stream ended: the server's time was up, or the connection was lost.
        case watchEnded
        /// The stream said nothing for the whole limit and was closed.
        case watchSilent
        case resumed
    }

    /// What one event of an open watch asks for.
    enum Disposition: Equatable, Sendable {
        case store
        case remove
        case ignore
        /// The watch is over: close it and do this.
        case stop(Action)
    }

    /// The kind of a watch event.
    enum EventKind: Equatable, Sendable {
        case added, modified, deleted, bookmark
    }

    /// Why a request failed, as far as it changes what comes next.
    enum Failure: Equatable, Sendable {
        /// 410: the version or the continue token is too old.
        case expired
        /// The server has not reached the version yet, or was restored to an older state.
        case versionTooLarge
        /// 429, with the wait asked for, if any.
        case tooManyRequests(retryAfter: Duration?)
        /// 403: the permission is missing; it may come later.
        case forbidden
        /// Any other 4xx.
        case refused
        /// A 5xx.
        case server
        /// No answer: refused, reset, timed out.
        case transport
    }

    private enum Phase: Equatable {
        case idle
        case listing(ListRequest)
        case watching
        case pausing(next: Next)
    }

    private enum Next: Equatable {
        case list
        case watch
    }

    let limits: ReflectorLimits
    private var phase = Phase.idle
    private var random: SplitMix64

    /// The last version seen; empty before the first list.
    private(set) var version = ""

    /// The next list must be a quorum read, since the server could not serve the last version.
    private var mustReadQuorum = false
    private var failures = 0
    private var openedAt: Instant?
    private var hasSeenEvent = false
    private var internalErrorsSince: Instant?
    private var silentWatches = 0

    /// The watch began without a version: its first events are the present state in no order.
    private var isInInitialBurst = false

    init(limits: ReflectorLimits = ReflectorLimits(), seed: UInt64) {
        self.limits = limits
        self.random = SplitMix64(seed: seed)
    }

    /// Takes one thing that happened and returns what to do.
    mutating func handle(_ event: Event, now: Instant) -> Action {
        switch event {
        case .started: return list()
        case .page(let version, let continuation): return page(version: version, continuation: continuation)
        case .listFailed(let failure): return listFailed(failure)
        case .watchOpened:
            return .proceed
        case .watchFailed(let failure): return watchFailed(failure, now: now)
        case .watchEnded: return watchEnded(now: now)
        case .watchSilent: return watchSilent(now: now)
        case .resumed:
            guard case .pausing(let next) = phase else {
                return .proceed
            }
            return next == .list ? list() : watch(now: now)
        }
    }

    /// Takes one event of the open watch.
    mutating func observe(_ kind: EventKind, version newVersion: String, now: Instant) -> Disposition {
        heard(now: now)
        internalErrorsSince = nil
        silentWatches = 0
        if kind != .added {
            isInInitialBurst = false
        }
        if !newVersion.isEmpty, !isInInitialBurst {
            version = newVersion
        }
        switch kind {
        case .added, .modified: return .store
        case .deleted: return .remove
        case .bookmark: return .ignore
        }
    }

    /// Takes an event that could not be understood: it shows life and nothing else.
    mutating func observeUnknown(now: Instant) {
        heard(now: now)
    }

    /// Takes an ERROR event of the open watch.
    mutating func observeError(_ failure: Failure, now: Instant) -> Disposition {
        .stop(watchFailed(failure, now: now))
    }

    /// A watch was just asked for.
    mutating func watchStarted(now: Instant) {
        openedAt = now
        hasSeenEvent = false
    }

    // MARK: - List

    private mutating func list() -> Action {
        let request: ListRequest
        if mustReadQuorum {
            request = ListRequest(resourceVersion: "", limit: limits.pageObjects)
        } else if version.isEmpty {
            // Served from the server's cache, which ignores the limit; without that cache, pages are used.
            request = ListRequest(resourceVersion: "0", limit: limits.pageObjects)
        } else {
            // A limit here would mean "exactly this version", which leaves the server's cache out.
            request = ListRequest(resourceVersion: version, limit: nil)
        }
        phase = .listing(request)
        return .list(request)
    }

    private mutating func page(version newVersion: String, continuation: String?) -> Action {
        guard case .listing(let request) = phase else {
            return .proceed
        }
        if let continuation, !continuation.isEmpty {
            // The token carries the version: naming one beside it is an error.
            let next = ListRequest(resourceVersion: "", limit: request.limit, continuation: continuation)
            phase = .listing(next)
            return .list(next)
        }
        version = newVersion
        mustReadQuorum = false
        isInInitialBurst = newVersion.isEmpty || newVersion == "0"
        return .commit(watchRequest())
    }

    private mutating func listFailed(_ failure: Failure) -> Action {
        guard case .listing(let request) = phase else {
            return .proceed
        }
        switch failure {
        case .expired where request.continuation != nil:
            // The pages took longer than the server keeps history: take all at once.
            let whole = ListRequest(resourceVersion: "", limit: nil)
            phase = .listing(whole)
            return .list(whole)
        case .expired, .versionTooLarge:
            let wasQuorum = mustReadQuorum
            mustReadQuorum = true
            return wasQuorum ? pause(then: .list) : list()
        case .tooManyRequests(let retryAfter):
            return pause(then: .list, atLeast: retryAfter)
        case .forbidden, .refused, .server, .transport:
            return pause(then: .list)
        }
    }

    // MARK: - Watch

    private mutating func watch(now: Instant) -> Action {
        .watch(watchRequest())
    }

    private mutating func watchRequest() -> WatchRequest {
        phase = .watching
        // Random, so that the watches of many processes do not come back together.
        let spread = limits.watchTimeout * Double.random(in: 0..<1, using: &random)
        return WatchRequest(resourceVersion: version, timeout: limits.watchTimeout + spread)
    }

    private mutating func heard(now: Instant) {
        hasSeenEvent = true
        if let openedAt, openedAt.duration(to: now) >= limits.healthy {
            failures = 0
        }
    }

    private mutating func watchFailed(_ failure: Failure, now: Instant) -> Action {
        noteHealth(now: now)
        switch failure {
        case .expired:
            // First ask for data no older than the last seen, as client-go does: after a restart of the API server every
            // watch expires at once, and quorum reads from all of them would hit etcd.
            return list()
        case .versionTooLarge:
            mustReadQuorum = true
            return list()
        case .tooManyRequests(let retryAfter):
            return pause(then: .watch, atLeast: retryAfter)
        case .transport:
            return pause(then: .watch)
        case .server:
            let since = internalErrorsSince ?? now
            internalErrorsSince = since
            let isOver = since.duration(to: now) > limits.internalErrors
            if isOver {
                internalErrorsSince = nil
            }
            return pause(then: isOver ? .list : .watch)
        case .forbidden, .refused:
            return pause(then: .list)
        }
    }

    private mutating func watchEnded(now: Instant) -> Action {
        noteHealth(now: now)
        let lived = openedAt?.duration(to: now) ?? .zero
        if !hasSeenEvent, lived < limits.shortWatch {
            return pause(then: .watch)
        }
        failures = 0
        return watch(now: now)
    }

    /// Reopens a watch that may hang, and after many of them in a row asks for the whole state.
    ///
    /// A server restored from a backup is behind our version and would let the watch hang for ever. Servers up to 1.20
    /// send no bookmark for a kind that nobody writes, so silence alone must not cost a list each time.
    private mutating func watchSilent(now: Instant) -> Action {
        if hasSeenEvent {
            silentWatches = 0
        }
        silentWatches += 1
        guard silentWatches > limits.silentWatchesMaximum else {
            return watch(now: now)
        }
        silentWatches = 0
        return list()
    }

    private mutating func noteHealth(now: Instant) {
        if let openedAt, openedAt.duration(to: now) >= limits.healthy {
            failures = 0
        }
    }

    // MARK: - Backoff

    private mutating func pause(then next: Next, atLeast least: Duration? = nil) -> Action {
        phase = .pausing(next: next)
        failures = min(failures + 1, 1000)  // Past any ceiling, far from overflow.
        let backoff = Backoff(base: limits.backoffBase, ceiling: limits.backoffCeiling)
        let delay = backoff.delayWithoutJitter(afterFailures: failures)
        let jittered = Jitter(1).lengthened(delay, using: &random)
        guard let least else {
            return .pause(jittered)
        }
        return .pause(max(jittered, min(least, limits.retryAfterMaximum)))
    }
}
