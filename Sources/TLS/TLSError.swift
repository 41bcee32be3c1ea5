/// Why a certificate, its key or a context cannot be used; it never repeats anything of a key.
public enum TLSError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The PEM of the certificate chain has no certificate, or one that cannot be read.
    case certificateUnreadable
    /// The PEM of the key has no unencrypted private key.
    case keyUnreadable
    /// The key does not belong to the certificate.
    case keyMismatch
    /// The certificate's key or signature is weaker than what is served: 112 bits, RSA of 2048.
    case certificateRefused
    /// A PEM is larger than ``CertificateIdentity/pemBytesMaximum``.
    case tooLarge
    /// OpenSSL has no memory, or was built without what is needed.
    case unavailable

    /// One line for a person.
    public var description: String {
        switch self {
        case .certificateUnreadable: "the certificate is no PEM with one certificate or more"
        case .keyUnreadable: "the key is no PEM with one unencrypted private key"
        case .keyMismatch: "the key does not belong to the certificate"
        case .certificateRefused: "the certificate is too weak: RSA needs 2048 bits, signatures SHA-256"
        case .tooLarge: "the file is larger than \(CertificateIdentity.pemBytesMaximum) bytes"
        case .unavailable: "OpenSSL cannot make a context"
        }
    }
}
