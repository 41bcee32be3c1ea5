import HTTP

/// Passes calls of functions on to the gateway, and leaves everything else to the API.
///
/// So one address serves a client of OpenFaaS: it deploys and calls at the same URL. Nobody has to say who they are to
/// call a function; what may be called is the gateway's to decide, as for everybody.
struct AdminRouter: RequestRouter {
    private let gateway: GatewayDestination
    /// A dot and the root domain in lower case; empty when owners have no hosts.
    private let rootSuffix: [UInt8]

    private static let prefixes = ["/function/", "/async-function/"].map { Array($0.utf8) }
    /// The gateway knows how long each function may stay silent, at most an hour; it has to be the first to give up.
    private static let silence = Duration.seconds(3600 + 60)

    init(gateway: GatewayDestination, rootDomain: String) {
        self.gateway = gateway
        rootSuffix = rootDomain.isEmpty ? [] : Array(".\(rootDomain.lowercased())".utf8)
    }

    func route(
        _ head: RequestHead, in bytes: Span<UInt8>, after gate: (any RequestGate)?, onLoop loop: Int
    ) -> RequestDecision {
        guard Self.prefixes.contains(where: { Self.begins(head.path, with: $0, in: bytes) }) else { return .handle }
        if let host = head.host, isBelowRoot(host, in: bytes) {
            // The gateway would take the first part of the host for an owner, and call something else.
            return .refuse(
                HTTPStatus(421),
                detail: "Call functions at the gateway, or give this API a host that no owner can have.")
        }
        return .proxy(ProxyCall(to: gateway, head: head, prefixEnd: head.target.start, silence: Self.silence))
    }

    private static func begins(_ path: ByteRange, with prefix: [UInt8], in bytes: Span<UInt8>) -> Bool {
        guard path.count >= prefix.count else { return false }
        return prefix.indices.allSatisfy { bytes[path.start + $0] == prefix[$0] }
    }

    private func isBelowRoot(_ host: ByteRange, in bytes: Span<UInt8>) -> Bool {
        guard !rootSuffix.isEmpty else { return false }
        var end = host.start
        while end < host.end, bytes[end] != UInt8(ascii: ":") { end += 1 }
        if end > host.start, bytes[end - 1] == UInt8(ascii: ".") { end -= 1 }
        let start = end - rootSuffix.count
        guard start > host.start else { return false }
        return rootSuffix.indices.allSatisfy { offset in
            let byte = bytes[start + offset]
            return (byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte) == rootSuffix[offset]
        }
    }
}
