import CRDs
import KubernetesTypes

/// Which of the domains that a Function wants lead to it, and why the others do not.
struct DomainVerdict: Equatable, Sendable {
    /// Those that lead to it, in its own order.
    private(set) var served: [String] = []
    /// Those that nobody said it may have.
    private(set) var notAllowed: [String] = []
    /// Those that an older Function has, and which.
    private(set) var taken: [Taken] = []

    struct Taken: Equatable, Sendable {
        let domain: String
        let holder: ObjectKey
    }

    /// Decides about all domains of a Function.
    ///
    /// - Parameters:
    ///   - function: The Function.
    ///   - configuration: Says who may have which domain.
    ///   - rivals: The Functions that want a domain; it may be among them.
    init(
        _ function: Function, _ configuration: FunctionClusterConfiguration, rivals: (_ domain: String) -> [Function]
    ) {
        for domain in function.spec.domains where DomainName.isValid(domain) {
            guard Self.isAllowed(domain, function, configuration) else {
                notAllowed.append(domain)
                continue
            }
            let older = rivals(domain).filter {
                $0.key != function.key && !$0.metadata.isBeingDeleted && $0.spec.domains.contains(domain)
                    && Self.isAllowed(domain, $0, configuration) && Self.isOlder($0, function)
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
        guard !parts.isEmpty else { return nil }
        return (taken.isEmpty ? .domainNotAllowed : .domainTaken, parts.joined(separator: "; "))
    }

    /// Hosts below the root domain are owners', whatever a grant says.
    private static func isAllowed(
        _ domain: String, _ function: Function, _ configuration: FunctionClusterConfiguration
    ) -> Bool {
        let root = configuration.rootDomain.lowercased()
        guard root.isEmpty || !DomainName.isWithin(domain, root) else { return false }
        return configuration.domains.contains { $0.allows(domain, for: function) }
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
