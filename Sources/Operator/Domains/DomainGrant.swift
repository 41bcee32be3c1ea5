import CRDs
import KubernetesTypes

/// Whose functions may have which domains, as the administrator has seen to it: an entry of `functions.domains`.
public struct DomainGrant: Codable, Hashable, Sendable {
    /// The owner of the functions; of any owner, and of none, when absent.
    public var owner: String?
    /// The namespace of the functions; any when absent.
    public var namespace: String?
    /// The domains: `shop.example.com`, or `*.alice.example` for whatever is below `alice.example`.
    public var domains: [String]

    /// Makes an entry.
    public init(owner: String? = nil, namespace: String? = nil, domains: [String]) {
        self.owner = owner
        self.namespace = namespace
        self.domains = domains
    }

    /// What is wrong with the entry, one sentence each.
    func problems() -> [String] {
        var problems: [String] = []
        if owner?.isEmpty != false, namespace?.isEmpty != false {
            problems.append("domains: an entry names no owner and no namespace; say whose functions it is about")
        }
        for domain in domains where !DomainName.isValid(Self.base(domain)) {
            problems.append("domains: \"\(domain)\" is no domain, and no domain behind *.")
        }
        return problems
    }

    /// Whether a function may have a domain.
    func allows(_ domain: String, for function: Function) -> Bool {
        guard owner?.isEmpty == false || namespace?.isEmpty == false else { return false }
        if let owner, !owner.isEmpty, function.identity?.owner != OwnerName(owner) { return false }
        if let namespace, !namespace.isEmpty, function.metadata.namespace != namespace { return false }
        return domains.contains { pattern in
            let base = Self.base(pattern)
            return pattern.hasPrefix("*.") ? domain.hasSuffix("." + base) : domain == base
        }
    }

    private static func base(_ pattern: String) -> String {
        pattern.hasPrefix("*.") ? String(pattern.dropFirst(2)) : pattern
    }
}
