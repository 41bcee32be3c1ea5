import CRDs
import HTTP

/// Where the gateway is: the host and port of `http://host[:port]`.
struct GatewayAddress: Equatable, Sendable {
    let host: String
    let port: UInt16

    /// Reads a URL; nil when it is none, has a path, or is not plain http.
    init?(_ url: String) {
        guard url.hasPrefix("http://") else { return nil }
        var authority = url.dropFirst("http://".count)
        if authority.hasSuffix("/") { authority = authority.dropLast() }
        var host = authority
        var port: UInt16 = 80
        if let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") {
            let digits = authority[authority.index(after: colon)...]
            guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt16(digits), number > 0 else {
                return nil
            }
            port = number
            host = authority[..<colon]
        }
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            guard SocketAddress(host: String(host), port: port) != nil else { return nil }
        } else {
            guard DNSName.isSubdomain(host.lowercased()) else { return nil }
        }
        self.host = String(host)
        self.port = port
    }
}
