import HTTP
import Synchronization

/// The way to one function as it is now: its ready addresses and its limits.
///
/// A change makes a new route; requests under way finish with the one they began with. What must outlive a change (the
/// calls under way, the metrics) is in `calls`.
final class Route: ProxyDestination {
    /// What a caller may do with the function.
    enum Admission: Sendable {
        case open
        /// No call is let through; the text says why.
        case closed(status: Int, reason: String)
        /// A call is let through that the purse has; the others are told the offer.
        case paid(CallPurse, PaymentOffer)
    }

    /// A near address may have so many calls more than twice those of a distant one before that one is better.
    static let nearAdvantage = 4

    /// The ready addresses: near ones first, in the order of the addresses.
    let endpoints: [UpstreamEndpoint]
    /// How many of them are in the gateway's own zone.
    let nearCount: Int
    /// Whether calls pass at all.
    let admission: Admission
    /// How long the function may stay silent.
    let timeout: Duration
    /// Calls under way at once over all loops of this gateway; more are answered 429.
    ///
    /// `nil` for no limit.
    let inFlightMaximum: Int?
    /// Calls under way at once to one address, over all loops of this gateway; when all have so many, more are answered 429.
    ///
    /// `nil` for no limit.
    let inFlightPerEndpoint: Int?
    /// How calls are made that nobody waits for; `nil` where the function says nothing about it.
    let asyncRules: FunctionRecord.AsyncRules?
    /// What is counted about the function.
    let calls: FunctionCalls
    /// How the function scales by itself; `nil` when it does not.
    let scaling: Elasticity?

    /// A function that scales by itself.
    struct Elasticity: Sendable {
        /// Measures its load.
        let meter: LoadMeter
        /// Where its calls wait when it sleeps; `nil` when it never does.
        let wake: FunctionWake?
        /// Whether it sleeps now: no address takes calls, or none is to do so any longer.
        let isAsleep: Bool
        /// Whether browsers are shown a page while it starts.
        let showsPage: Bool
    }

    init(
        endpoints: [UpstreamEndpoint], nearCount: Int = 0, admission: Admission, timeout: Duration,
        inFlightMaximum: Int?,
        inFlightPerEndpoint: Int?, asyncRules: FunctionRecord.AsyncRules? = nil, calls: FunctionCalls,
        scaling: Elasticity? = nil
    ) {
        self.asyncRules = asyncRules
        self.endpoints = endpoints
        self.nearCount = nearCount
        self.admission = admission
        self.timeout = timeout
        self.inFlightMaximum = inFlightMaximum
        self.inFlightPerEndpoint = inFlightPerEndpoint
        self.calls = calls
        self.scaling = scaling
    }

    /// Chooses the less busy of two endpoints drawn at random: close to the best of all, without looking at all.
    ///
    /// Those in the gateway's own zone are preferred while they are not much busier than others. Only when the chosen one may
    /// take no more are all looked at.
    func endpoint(avoiding failed: UpstreamEndpoint?, random: UInt64) -> EndpointChoice {
        // An address that failed is often one that ends, and the one in its place has come since.
        let route = failed == nil ? self : calls.route ?? self
        return route.choose(avoiding: failed, random: random)
    }

    private func choose(avoiding failed: UpstreamEndpoint?, random: UInt64) -> EndpointChoice {
        guard let better = better(avoiding: failed, random: random) else { return .none }
        if better.begin(maximum: inFlightPerEndpoint) {
            return .endpoint(better)
        }
        let start = Int(random % UInt64(endpoints.count))
        for endpoint in endpoints[start...] + endpoints[..<start] where endpoint.begin(maximum: inFlightPerEndpoint) {
            return .endpoint(endpoint)
        }
        return .allBusy
    }

    private func better(avoiding failed: UpstreamEndpoint?, random: UInt64) -> UpstreamEndpoint? {
        guard nearCount > 0, nearCount < endpoints.count else {
            return better(of: endpoints[...], avoiding: failed, random: random)
        }
        guard let near = better(of: endpoints[..<nearCount], avoiding: failed, random: random),
            let distant = better(of: endpoints[nearCount...], avoiding: failed, random: random)
        else { return nil }
        let isWorse =
            near === failed || near.isEjected || near.inFlight > 2 * distant.inFlight + Self.nearAdvantage
        return isWorse && distant !== failed && !distant.isEjected ? distant : near
    }

    private func better(
        of endpoints: ArraySlice<UpstreamEndpoint>, avoiding failed: UpstreamEndpoint?, random: UInt64
    ) -> UpstreamEndpoint? {
        let count = UInt64(endpoints.count)
        guard count > 1 else { return endpoints.first }
        let first = Int((random & 0xFFFF_FFFF) % count)
        // Any other than the first.
        let second = Int((UInt64(first) + 1 + (random >> 32) % (count - 1)) % count)
        let left = endpoints[endpoints.startIndex + first]
        let right = endpoints[endpoints.startIndex + second]
        if left === failed || right === failed {
            return left === failed ? right : left
        }
        switch (left.isEjected, right.isEjected) {
        case (true, false): return right
        case (false, true): return left
        case (true, true): return endpoints.first { !$0.isEjected && $0 !== failed } ?? left
        case (false, false): return right.inFlight < left.inFlight ? right : left
        }
    }

    /// How many calls may be under way at once through this gateway with the addresses that there are; nil for any number.
    var callsMaximum: Int? {
        let all = inFlightPerEndpoint.map { $0.multipliedReportingOverflow(by: max(1, endpoints.count)) }
        let overAddresses = all.flatMap { $0.overflow ? nil : $0.partialValue }
        return [inFlightMaximum, overAddresses].compactMap(\.self).min()
    }

    /// Admits one call unless as many as may be are under way; an admitted one ends with `finished`.
    func begin() -> Bool {
        guard calls.begin(maximum: inFlightMaximum) else { return false }
        scaling?.meter.began()
        return true
    }

    func finished(_ outcome: ProxyOutcome, context: AnyObject?) {
        calls.ended(outcome)
        scaling?.meter.ended()
        switch context {
        case let purse as CallPurse: purse.end(isCharged: outcome.isCall)
        case let ticket as DispatchTicket: ticket.ended(outcome)
        default: break
        }
    }
}

extension ProxyOutcome {
    /// Whether it counts as a call of the function, which has to be paid for.
    ///
    /// An answer of the function counts, whatever its status, from its first byte; so does a call whose client left while
    /// the function worked, since something of it was sent. What the platform answers in the function's place does not: there was no instance, none could
    /// be reached, it broke off or stayed silent.
    var isCall: Bool {
        firstByteNanoseconds > 0 || (cause == .clientLeft && wasSent)
    }
}
