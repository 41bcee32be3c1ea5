import CRDs
import KubernetesTypes

/// Which of the domains that a Function wants lead to it, and why the others do not.
struct DomainVerdict: Equatable, Sendable {
    /// Those that lead to it, in its own order.
    private(set) var served: [String] = []
    /// Those that nobody said it may have.
    private(set) var notAllowed: [String] = []
    /// Those that it may have once it has proven them, with the records that are missing.
    private(set) var notProven: [Unproven] = []
    /// Those that an older Function has, and which.
    private(set) var taken: [Taken] = []

    struct Unproven: Equatable, Sendable {
        let domain: String
        let record: DomainRecord
    }

    struct Taken: Equatable, Sendable {
        let domain: String
        let holder: ObjectKey
    }

    /// Decides about all domains of a Function.
    ///
    /// - Parameters:
    ///   - function: The Function.
    ///   - configuration: Says who may have which domain, and whether proofs count.
    ///   - proofs: The proofs of its own that stand.
    ///   - rivals: The Functions that want a domain; it may be among them. What they have proven is in their statuses.
    init(
        _ function: Function, _ configuration: FunctionClusterConfiguration, proofs: [DomainProof] = [],
        rivals: (_ domain: String) -> [Function]
    ) {
        for domain in function.spec.domains where DomainName.isValid(domain) {
            guard Self.isAllowed(domain, function, configuration, proofs) else {
                if configuration.takesDomainProofs, !Self.isRoots(domain, configuration) {
                    notProven.append(Unproven(domain: domain, record: DomainRecord(domain, for: function.key)))
                } else {
                    notAllowed.append(domain)
                }
                continue
            }
            let older = rivals(domain).filter {
                $0.key != function.key && !$0.metadata.isBeingDeleted && $0.spec.domains.contains(domain)
                    && Self.isAllowed(domain, $0, configuration, $0.status?.domainProofs ?? [])
                    && Self.isOlder($0, function)
            }
            if let holder = older.min(by: Self.isOlder) {
                taken.append(Taken(domain: domain, holder: holder.key))
            } else {
                served.append(domain)
            }
        }
    }

    /// The condition's reason and message; nil when all domains lead to the Function.
    var trouble: (reason: FunctionReason, message: String)? {
        var parts = taken.map { "\($0.domain) is taken by the older Function \($0.holder)" }
        if !notAllowed.isEmpty {
            parts.append(
                "\(notAllowed.joined(separator: ", ")): the administrator has to say that this Function may have it "
                    + "(functions.domains in the configuration)")
        }
        parts += notProven.map {
            "\($0.domain) is not proven to be yours; make the DNS record \($0.record), which is looked for at least every ten "
                + "minutes"
        }
        guard !parts.isEmpty else { return nil }
        let reason: FunctionReason =
            !taken.isEmpty ? .domainTaken : !notAllowed.isEmpty ? .domainNotAllowed : .domainNotProven
        return (reason, parts.joined(separator: "; "))
    }

    /// The domains that a Function may have by a proof alone.
    static func domainsToProve(_ function: Function, _ configuration: FunctionClusterConfiguration) -> [String] {
        guard configuration.takesDomainProofs else { return [] }
        return function.spec.domains.filter {
            DomainName.isValid($0) && !isRoots($0, configuration) && !isAllowed($0, function, configuration, [])
        }
    }

    private static func isAllowed(
        _ domain: String, _ function: Function, _ configuration: FunctionClusterConfiguration, _ proofs: [DomainProof]
    ) -> Bool {
        guard !isRoots(domain, configuration) else { return false }
        return configuration.domains.contains { $0.allows(domain, for: function) }
            || configuration.takesDomainProofs && proofs.contains { $0.domain == domain }
    }

    /// Hosts below the root domain are owners', whatever a grant or a record says.
    private static func isRoots(_ domain: String, _ configuration: FunctionClusterConfiguration) -> Bool {
        let root = configuration.rootDomain.lowercased()
        return !root.isEmpty && DomainName.isWithin(domain, root)
    }

    /// Of two objects that were made in the same second the one with the lower name counts as the older.
    private static func isOlder(_ left: Function, _ right: Function) -> Bool {
        if let leftTime = left.metadata.creationTimestamp, let rightTime = right.metadata.creationTimestamp,
            leftTime != rightTime
        {
            return leftTime < rightTime
        }
        return left.key < right.key
    }
}
