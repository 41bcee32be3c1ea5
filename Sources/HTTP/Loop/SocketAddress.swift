import Glibc

/// A numeric IPv4 or IPv6 address with a port.
public struct SocketAddress: Sendable, Hashable, CustomStringConvertible {
    private enum Kind: Hashable {
        case version4
        case version6
    }

    private let kind: Kind
    /// 16 bytes; an IPv4 address takes the first four.
    private let high: UInt64
    private let low: UInt64
    /// The port, in host order.
    public let port: UInt16

    /// Reads a numeric address, such as `10.0.0.7` or `fd00::7` (no brackets, no zone); `nil` for anything else.
    public init?(host: String, port: UInt16) {
        self.port = port
        var version4 = in_addr()
        var version6 = in6_addr()
        if inet_pton(AF_INET, host, &version4) == 1 {
            kind = .version4
            high = UInt64(version4.s_addr)
            low = 0
        } else if inet_pton(AF_INET6, host, &version6) == 1 {
            kind = .version6
            (high, low) = withUnsafeBytes(of: version6) { bytes in
                (bytes.loadUnaligned(as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            }
        } else {
            return nil
        }
    }

    /// Takes what the kernel gave; IPv4 in an IPv6 address (`::ffff:…`) becomes IPv4.
    init(_ storage: sockaddr_storage) {
        var storage = storage
        if Int32(storage.ss_family) == AF_INET6 {
            let address = withUnsafeBytes(of: &storage) { $0.load(as: sockaddr_in6.self) }
            port = UInt16(bigEndian: address.sin6_port)
            let (high, low) = withUnsafeBytes(of: address.sin6_addr) { bytes in
                (bytes.loadUnaligned(as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            }
            let isMapped = high == 0 && UInt32(truncatingIfNeeded: low) == 0xFFFF_0000
            kind = isMapped ? .version4 : .version6
            self.high = isMapped ? low >> 32 : high
            self.low = isMapped ? 0 : low
        } else {
            let address = withUnsafeBytes(of: &storage) { $0.load(as: sockaddr_in.self) }
            port = UInt16(bigEndian: address.sin_port)
            kind = .version4
            high = UInt64(address.sin_addr.s_addr)
            low = 0
        }
    }

    /// `AF_INET` or `AF_INET6`.
    var family: Int32 { kind == .version4 ? AF_INET : AF_INET6 }

    /// Lends the address as the kernel wants it.
    func withSocketAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        switch kind {
        case .version4:
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(truncatingIfNeeded: high)
            return withUnsafePointer(to: address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        case .version6:
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            withUnsafeMutableBytes(of: &address.sin6_addr) { bytes in
                bytes.storeBytes(of: high, as: UInt64.self)
                bytes.storeBytes(of: low, toByteOffset: 8, as: UInt64.self)
            }
            return withUnsafePointer(to: address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    body($0, socklen_t(MemoryLayout<sockaddr_in6>.size))
                }
            }
        }
    }

    /// The address as text, without the port.
    public var host: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let isWritten: Bool
        switch kind {
        case .version4:
            var address = in_addr(s_addr: UInt32(truncatingIfNeeded: high))
            isWritten = inet_ntop(AF_INET, &address, &text, socklen_t(text.count)) != nil
        case .version6:
            var address = in6_addr()
            withUnsafeMutableBytes(of: &address) { bytes in
                bytes.storeBytes(of: high, as: UInt64.self)
                bytes.storeBytes(of: low, toByteOffset: 8, as: UInt64.self)
            }
            isWritten = inet_ntop(AF_INET6, &address, &text, socklen_t(text.count)) != nil
        }
        guard isWritten else { return "" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Address and port, IPv6 in brackets.
    public var description: String {
        kind == .version4 ? "\(host):\(port)" : "[\(host)]:\(port)"
    }
}
