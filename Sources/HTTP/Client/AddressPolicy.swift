/// Which addresses a client may connect to, judged after a name was resolved.
///
/// Judging the address that is really connected to, and not the name, is what stops a name that leads to the inside
/// (and one that leads elsewhere on its second look-up).
public struct AddressPolicy: Sendable, Hashable {
    /// Whether only addresses of the public Internet are allowed.
    public var isPublicOnly: Bool
    /// Further ranges to refuse, such as a cluster's own public ones.
    public var refusedRanges: [AddressRange]
    /// Ranges outside the public Internet that are allowed all the same, unless they are among ``refusedRanges``.
    public var allowedRanges: [AddressRange]

    /// Makes a policy.
    public init(isPublicOnly: Bool, refusedRanges: [AddressRange] = [], allowedRanges: [AddressRange] = []) {
        self.isPublicOnly = isPublicOnly
        self.refusedRanges = refusedRanges
        self.allowedRanges = allowedRanges
    }

    /// Every address is allowed.
    public static let any = AddressPolicy(isPublicOnly: false)
    /// Only addresses of the public Internet: for URLs that a tenant can steer.
    public static let publicOnly = AddressPolicy(isPublicOnly: true)

    /// Whether a connection to `address` is allowed.
    public func allows(_ address: NetworkAddress) -> Bool {
        let address = address.unmapped
        guard !refusedRanges.contains(where: { $0.contains(address) }) else { return false }
        return !isPublicOnly || address.isPublic || allowedRanges.contains { $0.contains(address) }
    }

    /// Whether every address is allowed.
    var allowsEverything: Bool { !isPublicOnly && refusedRanges.isEmpty }
}
