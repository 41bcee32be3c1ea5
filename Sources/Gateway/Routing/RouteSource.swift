import HTTP
import KubernetesTypes
import Scaling
import Synchronization
import Telemetry

/// Turns functions and their addresses, as they come and go, into the routes on the board.
///
/// Each change touches the routes of one function only. What lasts as long as a function or an address (counts,
/// pooled connections) is kept over changes.
final class RouteSource: Sendable {
    /// An object of its own: a dictionary has room for half as many again as it holds.
    private final class Entry {
        var record: FunctionRecord?
        /// Its slices that have addresses; few, so that a search is short.
        var slices: [(name: String, addresses: [SliceAddress])] = []
        /// Near ones first, in the order of their addresses.
        var endpoints: [UpstreamEndpoint] = []
        var calls: FunctionCalls?
        /// Only while the function scales by itself.
        var meter: LoadMeter?
        /// Only while the function can sleep.
        var wake: FunctionWake?
    }

    private struct State {
        var entries: [ObjectKey: Entry] = [:]
        /// Who claims a name below an owner's host, or a domain.
        var claims: [FunctionRecord.Claim: [ObjectKey]] = [:]
        /// The function of each slice that has addresses.
        var functions: [ObjectKey: ObjectKey] = [:]
    }

    private let board: RouteBoard
    private let metrics: GatewayMetrics
    private let defaultTimeout: Duration
    /// Where paid calls come from; nil when payments are not set up.
    private let desk: CallDesk?
    /// Who starts sleeping functions; nil where there is nobody.
    private let waker: (any FunctionWaker)?
    /// How many calls may wait for one function to start.
    private let waitingMaximum: Int
    private let state = Mutex(State())

    init(
        board: RouteBoard, metrics: GatewayMetrics, defaultTimeout: Duration, desk: CallDesk? = nil,
        waker: (any FunctionWaker)? = nil, waitingMaximum: Int = 1000
    ) {
        self.board = board
        self.metrics = metrics
        self.defaultTimeout = defaultTimeout
        self.desk = desk
        self.waker = waker
        self.waitingMaximum = waitingMaximum
    }

    /// One address of a slice.
    struct SliceAddress: Equatable, Sendable {
        let address: SocketAddress
        /// An address that is ending still answers; it is used when there is no other.
        let isEnding: Bool
        /// Whether it is in the gateway's own zone.
        var isNear = false
    }

    /// A function came or changed.
    ///
    /// - Parameters:
    ///   - record: What the gateway keeps of it.
    ///   - version: The version of its object, which every change of it changes.
    func put(_ record: FunctionRecord, version: String = "") {
        state.withLock { state in
            let entry = state.entries[record.key] ?? Entry()
            let old = entry.record
            defer { tell(record, version, state) }
            guard old != record else { return }
            entry.record = record
            let formerWake = entry.wake
            setScaling(record, entry)
            state.entries[record.key] = entry
            defer {
                if let formerWake, formerWake !== entry.wake {
                    formerWake.set(isUp: true)
                }
            }
            let former = old?.claims ?? []
            let claims = record.claims
            for claim in former where !claims.contains(claim) {
                unclaim(claim, record.key, &state)
            }
            for claim in claims where !former.contains(claim) {
                state.claims[claim, default: []].append(record.key)
            }
            publish(record.key, former: former, &state)
            if old?.isPaid == true, !record.isPaid {
                desk?.close(record.key)
            }
        }
    }

    /// A function is gone.
    func remove(_ key: ObjectKey) {
        state.withLock { state in
            guard let entry = state.entries[key], let old = entry.record else { return }
            entry.record = nil
            for endpoint in entry.endpoints {
                endpoint.retire()
            }
            entry.endpoints = []
            entry.calls?.retire()
            entry.calls = nil
            let wake = entry.wake
            entry.wake = nil
            entry.meter = nil
            state.entries[key] = entry.slices.isEmpty ? nil : entry
            let former = old.claims
            for claim in former {
                unclaim(claim, key, &state)
            }
            publish(key, former: former, &state)
            // Who waits for it is told that it is gone.
            wake?.set(isUp: true)
            desk?.close(key)
        }
    }

    /// A slice of a function's addresses came, changed or (with none) went.
    ///
    /// - Parameters:
    ///   - slice: Its name, in the namespace of its function.
    ///   - key: The function.
    func setSlice(_ slice: String, of key: ObjectKey, _ addresses: [SliceAddress]) {
        let sliceKey = ObjectKey(namespace: key.namespace, name: slice)
        state.withLock { state in
            if let former = state.functions[sliceKey], former != key {
                setSlice(sliceKey, of: former, [], &state)
            }
            setSlice(sliceKey, of: key, addresses, &state)
        }
    }

    /// A slice is gone, or belongs to no function any more.
    func removeSlice(_ slice: ObjectKey) {
        state.withLock { state in
            guard let function = state.functions[slice] else { return }
            setSlice(slice, of: function, [], &state)
        }
    }

    private func setSlice(
        _ slice: ObjectKey, of key: ObjectKey, _ addresses: [SliceAddress], _ state: inout State
    ) {
        let entry = state.entries[key] ?? Entry()
        let index = entry.slices.firstIndex { $0.name == slice.name }
        guard index.map({ entry.slices[$0].addresses }) ?? [] != addresses else { return }
        switch (index, addresses.isEmpty) {
        case (let index?, true): entry.slices.remove(at: index)
        case (let index?, false): entry.slices[index].addresses = addresses
        case (nil, _): entry.slices.append((slice.name, addresses))
        }
        state.functions[slice] = addresses.isEmpty ? nil : key
        state.entries[key] = entry.slices.isEmpty && entry.record == nil ? nil : entry
        if entry.record != nil {
            publish(key, former: [], &state)
        }
    }

    /// How many functions have a route.
    var count: Int {
        state.withLock { $0.entries.values.count { $0.record != nil } }
    }

    /// How busy the functions are that scale by it, and had a call.
    func loads() -> [FunctionLoad] {
        state.withLock { state in
            state.entries.compactMap { key, entry in
                entry.meter?.read().map { reading in
                    FunctionLoad(
                        namespace: key.namespace, name: key.name, inFlight: reading.inFlight,
                        busySeconds: reading.busy / .seconds(1), idleSeconds: reading.idle / .seconds(1))
                }
            }
        }
    }

    /// Keeps what outlives the function's routes, and makes what is missing.
    private func setScaling(_ record: FunctionRecord, _ entry: Entry) {
        let calls =
            entry.calls ?? FunctionCalls(label: "\(record.key.name).\(record.key.namespace)", metrics: metrics)
        entry.calls = calls
        guard let scaling = record.scaling else {
            entry.meter = nil
            entry.wake = nil
            return
        }
        let meter = entry.meter ?? LoadMeter()
        entry.meter = meter
        guard scaling.canSleep, let waker else {
            entry.wake = nil
            return
        }
        entry.wake =
            entry.wake
            ?? FunctionWake(
                of: record.key, waker: waker, waitingMaximum: waitingMaximum, meter: meter, calls: calls,
                metrics: metrics)
    }

    /// Tells who waits for the function, if anybody can, how many replicas it should have.
    private func tell(_ record: FunctionRecord, _ version: String, _ state: State) {
        guard let scaling = record.scaling else { return }
        state.entries[record.key]?.wake?.told(replicas: scaling.replicas, version: version)
    }

    /// What is counted of each function.
    var allCalls: [FunctionCalls] {
        state.withLock { $0.entries.values.compactMap(\.calls) }
    }

    /// How many addresses take the calls of each function.
    var addressCounts: [String: Int] {
        state.withLock { state in
            Dictionary(
                state.entries.values.compactMap { entry in entry.calls.map { ($0.label, entry.endpoints.count) } },
                uniquingKeysWith: +)
        }
    }

    private func unclaim(_ claim: FunctionRecord.Claim, _ key: ObjectKey, _ state: inout State) {
        state.claims[claim]?.removeAll { $0 == key }
        if state.claims[claim]?.isEmpty ?? false {
            state.claims[claim] = nil
        }
    }

    /// Puts the function's route on the board, and whoever has a right to the names that are touched.
    private func publish(_ key: ObjectKey, former: [FunctionRecord.Claim], _ state: inout State) {
        let begun = ContinuousClock.now
        let route = makeRoute(key, &state)
        let wake = route?.scaling?.wake
        let isUp = route?.scaling?.isAsleep != true
        if !isUp {
            // Before any loop sees the route: who finds it asleep must be able to wait.
            wake?.set(isUp: false)
        }
        defer {
            if isUp {
                // After every loop can see it: who waited must not find it asleep.
                wake?.set(isUp: true)
            }
        }
        var found: [(FunctionRecord.Claim, Route?)] = []
        let claims = state.entries[key]?.record?.claims ?? []
        for claim in former.filter({ !claims.contains($0) }) + claims {
            let holder = holder(of: claim, state)
            // The present route of somebody else who holds the name is on the board already, under its object's name.
            let held =
                holder == key ? route : holder.flatMap { board.table.byObject[RouteName($0.name, $0.namespace)] }
            found.append((claim, held))
        }
        board.update { table in
            table.byObject.set(RouteName(key.name, key.namespace), route)
            for (claim, route) in found {
                switch claim {
                case .owned(let name): table.byOwner.set(RouteName(name.owner, name.function), route)
                case .domain(let domain): table.byDomain.set(RouteName(domain, ""), route)
                }
            }
            metrics.routes.set(table.byObject.count)
        }
        metrics.routeUpdates.increment()
        metrics.routeUpdateSeconds.observe(ContinuousClock.now - begun)
    }

    /// Of all that claim a name, the one that was there first.
    private func holder(of claim: FunctionRecord.Claim, _ state: State) -> ObjectKey? {
        state.claims[claim]?.min { left, right in
            let leftTime = state.entries[left]?.record?.created
            let rightTime = state.entries[right]?.record?.created
            if let leftTime, let rightTime, leftTime != rightTime {
                return leftTime < rightTime
            }
            return (left.namespace, left.name) < (right.namespace, right.name)
        }
    }

    private func makeRoute(_ key: ObjectKey, _ state: inout State) -> Route? {
        guard let entry = state.entries[key], let record = entry.record, let calls = entry.calls else { return nil }
        let all = entry.slices.lazy.flatMap(\.addresses)
        // A function that goes to sleep is woken instead.
        let usesEnding = entry.wake == nil && all.allSatisfy(\.isEnding)
        // Whether each address that is wanted is near.
        var wanted: [SocketAddress: Bool] = [:]
        for address in all where usesEnding || !address.isEnding {
            wanted[address.address] = wanted[address.address] == true || address.isNear
        }
        for endpoint in entry.endpoints where wanted[endpoint.address] == nil {
            endpoint.retire()
        }
        let kept = entry.endpoints.filter { wanted[$0.address] != nil }
        let known = Set(kept.map(\.address))
        let new = wanted.keys.filter { !known.contains($0) }.map { UpstreamEndpoint(address: $0) }
        entry.endpoints = (kept + new).sorted { left, right in
            let (isLeftNear, isRightNear) = (wanted[left.address] == true, wanted[right.address] == true)
            return isLeftNear == isRightNear ? left.address.description < right.address.description : isLeftNear
        }
        let scaling = entry.meter.flatMap { meter in
            record.scaling.map { scaling in
                Route.Elasticity(
                    meter: meter, wake: entry.wake,
                    // Once none is wanted those that are left end: no call is sent to them that could meet their end.
                    isAsleep: entry.wake != nil && (entry.endpoints.isEmpty || scaling.replicas == 0),
                    showsPage: scaling.showsPage)
            }
        }
        let route = Route(
            endpoints: entry.endpoints, nearCount: entry.endpoints.count { wanted[$0.address] == true },
            admission: admission(of: record), timeout: record.timeout ?? defaultTimeout,
            inFlightMaximum: record.inFlightMaximum, inFlightPerEndpoint: record.inFlightPerEndpoint,
            asyncRules: record.asyncRules, calls: calls, scaling: scaling)
        calls.route = route
        return route
    }

    private func admission(of record: FunctionRecord) -> Route.Admission {
        switch record.admission {
        case .open: return .open
        case .closed(let status, let reason): return .closed(status: status, reason: reason)
        case .paid(let price):
            guard let desk, let purse = desk.purse(of: record.key) else {
                let reason = "The function demands payment for each call, and payments are not set up here."
                return .closed(status: 503, reason: reason)
            }
            let offer = PaymentOffer(
                price: price, payer: desk.payer, name: record.ownerName, object: record.key.name)
            return .paid(purse, offer)
        }
    }
}
