import CRDs

/// Turns the host of a Git address into network addresses that may be connected to.
public protocol HostResolver: Sendable {
    /// Returns the addresses to connect to, as text.
    ///
    /// - Throws: ``BuildFailure``: the host is unknown, or one of its addresses is private and that is not allowed.
    func addresses(for url: GitURL, configuration: GitConfiguration) async throws -> [String]
}

/// Asks the system's resolver, once, and pins the answer.
///
/// Git then connects to exactly the addresses that were judged here, so a name that answers differently a moment later
/// (DNS rebinding) gains nothing.
public struct SystemHostResolver: HostResolver {
    /// How many addresses of one host are used.
    static let addressesMaximum = 16

    /// Makes a resolver.
    public init() {}

    /// Returns the addresses of the host, all of them judged.
    public func addresses(for url: GitURL, configuration: GitConfiguration) async throws -> [String] {
        let host = url.host.hasPrefix("[") ? String(url.host.dropFirst().dropLast()) : url.host
        let found = try await BlockingThread.run { NetworkAddress.lookUp(host) }
        guard !found.isEmpty else {
            throw BuildFailure(.gitUnreachable, "the host \(url.host) is unknown")
        }
        if !configuration.allowsPrivateAddresses, let refused = found.first(where: { !$0.isPublic }) {
            throw BuildFailure(
                .gitAddressRefused,
                "the host \(url.host) has the private or special address \(refused), which may not be fetched from")
        }
        return found.prefix(Self.addressesMaximum).map(\.description)
    }
}
