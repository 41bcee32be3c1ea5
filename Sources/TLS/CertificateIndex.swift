/// Which certificate is shown for which name: a value that is made anew when certificates change.
///
/// A name of its own goes before a wildcard, which stands for exactly one label (RFC 6125 §6.4.3). A client that names no
/// server, or one that no certificate is for, gets the first certificate and decides itself what it makes of that. Of two
/// certificates for one name the one that ends later is shown.
public struct CertificateIndex: Sendable {
    private var byName: [String: CertificateIdentity] = [:]
    private let first: CertificateIdentity?

    /// Makes an index without any certificate: every handshake fails.
    public init() {
        first = nil
    }

    /// Makes an index of `identities`; the first is shown where none fits.
    public init(_ identities: [CertificateIdentity]) {
        first = identities.first
        for identity in identities {
            for name in identity.names {
                if let other = byName[name], other.expiresAt >= identity.expiresAt { continue }
                byName[name] = identity
            }
        }
    }

    /// Whether there is no certificate.
    public var isEmpty: Bool { first == nil }

    /// The certificate for `name`, `nil` when there is none at all.
    ///
    /// - Parameter name: What the client asked for, in any case of letters; `nil` when it did not say.
    public func identity(for name: String?) -> CertificateIdentity? {
        guard var name = name?.lowercased() else { return first }
        if name.hasSuffix(".") {
            name.removeLast()
        }
        if let exact = byName[name] {
            return exact
        }
        if let dot = name.firstIndex(of: "."), dot > name.startIndex, let wildcard = byName["*" + name[dot...]] {
            return wildcard
        }
        return first
    }
}
