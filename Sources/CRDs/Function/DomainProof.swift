public import KubernetesTypes

/// That a Function has shown by a DNS record that a domain is its own.
public struct DomainProof: Codable, Hashable, Sendable {
    /// The domain.
    public var domain: String
    /// When the record was first found.
    public var since: Time
    /// How often in a row it was not there since; absent while it is.
    public var misses: Int32?

    /// Makes a proof.
    public init(domain: String, since: Time, misses: Int32? = nil) {
        self.domain = domain
        self.since = since
        self.misses = misses
    }

    enum CodingKeys: String, CodingKey, CaseIterable { case domain, since, misses }
}
