import AsyncCalls
import CRDs
import KubernetesTypes
import Timing

/// What the gateway keeps of one Function object.
struct FunctionRecord: Equatable, Sendable {
    let key: ObjectKey
    /// `nil` for a function that has no owner, and so no host.
    let ownerName: OwnedName?
    /// Domains of its own, in lower case, that the operator says it has.
    let domains: [String]
    let timeout: Duration?
    let inFlightMaximum: Int?
    let inFlightPerEndpoint: Int?
    let admission: Admission
    /// How calls are made that nobody waits for; `nil` where the function says nothing about it, as most.
    let asyncRules: AsyncRules?
    /// How the function scales by itself; `nil` when it does not.
    let scaling: Elasticity?
    /// When the object was made; of two that claim one name, the older has it.
    let created: Time?

    /// An object of its own, since few functions have any.
    final class AsyncRules: Equatable, Sendable {
        let rules: LaneRules

        init(_ async: FunctionAsync) {
            var rules = LaneRules()
            rules.concurrency = async.concurrency.map { max(1, Int($0)) }
            rules.attemptsMaximum = async.attempts.map { Int($0) }
            rules.minimum = Self.duration(async.retryMinimum, within: FunctionLimits.retryMinimum)
            rules.maximum = Self.duration(async.retryMaximum, within: FunctionLimits.retryMaximum)
            rules.statuses = async.retryStatuses.map { Set($0.map { Int($0) }) }
            self.rules = rules
        }

        /// The operator refuses what is outside, and nothing keeps an object that it refused from being read here.
        private static func duration(_ text: String?, within range: ClosedRange<Duration>) -> Duration? {
            text.flatMap { Duration(goStyle: $0) }.map { min(max($0, range.lowerBound), range.upperBound) }
        }

        static func == (left: AsyncRules, right: AsyncRules) -> Bool { left.rules == right.rules }
    }

    /// Whether calls pass.
    enum Admission: Equatable, Sendable {
        case open
        /// No call is let through; the text says why.
        case closed(status: Int, reason: String)
        /// Calls are let through that somebody paid for.
        case paid(FunctionPrice)
    }

    /// Whether calls have to be paid for.
    var isPaid: Bool {
        if case .paid = admission { true } else { false }
    }

    /// What the gateway has to know of a function that scales by itself.
    struct Elasticity: Equatable, Sendable {
        /// Whether it goes to zero by itself, and a call starts it.
        let canSleep: Bool
        /// How many replicas there should be.
        let replicas: Int
        /// Whether browsers are shown a page while it starts.
        let showsPage: Bool
    }

    /// An owner and what it calls the function.
    struct OwnedName: Hashable, Sendable {
        let owner: String
        let function: String
    }

    /// What a host, with a part of the path or without, means.
    enum Claim: Hashable, Sendable {
        /// A function below its owner's host.
        case owned(OwnedName)
        /// A whole host.
        case domain(String)
    }

    /// Everything besides its object's name that it may be called by, each once.
    var claims: [Claim] {
        var claims = ownerName.map { [Claim.owned($0)] } ?? []
        for domain in domains where !claims.contains(.domain(domain)) {
            claims.append(.domain(domain))
        }
        return claims
    }

    init(
        key: ObjectKey, ownerName: OwnedName?, domains: [String] = [], timeout: Duration? = nil,
        inFlightMaximum: Int? = nil, inFlightPerEndpoint: Int? = nil, admission: Admission = .open,
        scaling: Elasticity? = nil, created: Time? = nil
    ) {
        self.key = key
        self.ownerName = ownerName
        self.domains = domains
        self.timeout = timeout
        self.inFlightMaximum = inFlightMaximum
        self.inFlightPerEndpoint = inFlightPerEndpoint
        self.admission = admission
        asyncRules = nil
        self.scaling = scaling
        self.created = created
    }

    /// What of a Function object is not read, and may be large or many.
    static let unread: [[String]] =
        ["ownerReferences", "finalizers"].map { ["metadata", $0] }
        + [
            "source", "environment", "secrets", "resources", "runtimeClassName", "egress", "health", "labels",
            "annotations",
        ].map { ["spec", $0] }
        + ["domainProofs", "conditions"].map { ["status", $0] }

    /// Reads a Function object.
    init(_ function: Function) {
        key = ObjectKey(namespace: function.metadata.namespace, name: function.metadata.name)
        ownerName = function.identity.map { OwnedName(owner: $0.owner.lowercased, function: $0.function) }
        // What the operator said before the last change of the spec counts as far as it is still wanted.
        domains = (function.status?.domains ?? []).filter(function.spec.domains.contains)
        timeout = function.spec.timeout.flatMap { Duration(goStyle: $0) }
        inFlightMaximum = function.spec.maxInflight.map { max(1, Int($0)) }
        inFlightPerEndpoint = function.spec.maxInflightPerReplica.map { max(1, Int($0)) }
        asyncRules = function.spec.async.map { AsyncRules($0) }
        created = function.metadata.creationTimestamp
        scaling =
            function.scalesByItself
            ? Elasticity(
                canSleep: function.canSleep, replicas: Int(function.desiredReplicas),
                showsPage: function.spec.scale?.waitingPage == true) : nil
        if function.spec.suspend == true {
            admission = .closed(status: 503, reason: "The function is suspended.")
        } else if function.spec.payment?.required == true {
            // Without a price nobody could pay for a call: nobody is let in.
            admission =
                function.spec.payment?.price.map { .paid($0) }
                ?? .closed(status: 503, reason: "The function demands payment for each call and has no price.")
        } else {
            admission = .open
        }
    }
}
