import CRDs
import Glibc
import HTTP

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
        let host = url.bareHost
        let found = try await BlockingThread.run { Self.lookUp(host) }
        guard !found.isEmpty else {
            throw BuildFailure(.gitUnreachable, "the host \(url.host) is unknown")
        }
        let policy = configuration.allowsPrivateAddresses ? AddressPolicy.any : .publicOnly
        if let refused = found.first(where: { !policy.allows($0) }) {
            throw BuildFailure(
                .gitAddressRefused,
                "the host \(url.host) has the private or special address \(refused), which may not be fetched from")
        }
        return found.prefix(Self.addressesMaximum).map(\.description)
    }

    /// The addresses of a host, each once; none when the name is unknown.
    ///
    /// Blocks until the system's resolver has answered.
    private static func lookUp(_ host: String) -> [NetworkAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var found: [NetworkAddress] = []
        var next = list
        while let info = next?.pointee {
            if let address = address(of: info), !found.contains(address) { found.append(address) }
            next = info.ai_next
        }
        return found
    }

    private static func address(of info: addrinfo) -> NetworkAddress? {
        guard let address = info.ai_addr else { return nil }
        switch info.ai_family {
        case AF_INET:
            return address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                NetworkAddress(bytes: withUnsafeBytes(of: $0.pointee.sin_addr) { Array($0) })
            }
        case AF_INET6:
            return address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                NetworkAddress(bytes: withUnsafeBytes(of: $0.pointee.sin6_addr) { Array($0) })
            }
        default: return nil
        }
    }
}
