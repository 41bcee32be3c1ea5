import Cryptography
import TLS

/// The certificates of Secrets of the type `kubernetes.io/tls`, by the Secrets' names: a value that takes what came and says
/// what became of it.
///
/// A pair that cannot be used leaves the one before it in its place.
struct SecretCertificates {
    /// What became of a Secret.
    enum Outcome {
        /// Its pair is shown from now on.
        case taken(CertificateIdentity)
        /// It holds what it held.
        case unchanged
        /// Its pair cannot be used.
        case refused(Refusal, formerStays: Bool)
    }

    /// Why a Secret's pair cannot be used.
    enum Refusal: Error, Equatable, CustomStringConvertible {
        case absent(String)
        case unusable(TLSError)
        case tooMany

        /// One line for a person.
        var description: String {
            switch self {
            case .absent(let key): "it has no \(key)"
            case .unusable(let error): error.description
            case .tooMany:
                "there are \(SecretCertificates.countMaximum) certificates already; apply it again when one of them is gone"
            }
        }
    }

    /// Certificates held: each has a context of OpenSSL's of some 20 KiB, 20 MiB in all.
    static let countMaximum = 1000

    private struct Entry {
        /// Of what came last, used or not: the same again is told about once.
        var digest: [UInt8]
        var identity: CertificateIdentity?
    }

    private var entries: [String: Entry] = [:]

    /// The certificates, by the names of their Secrets.
    var identities: [CertificateIdentity] { entries.sorted { $0.key < $1.key }.compactMap(\.value.identity) }

    /// Takes a Secret that is new, changed, or told of once more.
    ///
    /// - Parameters:
    ///   - name: Its name.
    ///   - certificate: What it has as `tls.crt`.
    ///   - key: What it has as `tls.key`.
    mutating func put(_ name: String, certificate: [UInt8]?, key: [UInt8]?) -> Outcome {
        let digest = Self.digest(certificate, key)
        let former = entries[name]
        guard former?.digest != digest else { return .unchanged }
        guard former != nil || entries.values.count(where: { $0.identity != nil }) < Self.countMaximum else {
            return .refused(.tooMany, formerStays: false)
        }
        do throws(Refusal) {
            let identity = try Self.identity(certificate, key)
            entries[name] = Entry(digest: digest, identity: identity)
            return .taken(identity)
        } catch {
            entries[name] = Entry(digest: digest, identity: former?.identity)
            return .refused(error, formerStays: former?.identity != nil)
        }
    }

    /// Forgets a Secret that is gone.
    ///
    /// - Returns: Whether its certificate was shown until now.
    mutating func remove(_ name: String) -> Bool { entries.removeValue(forKey: name)?.identity != nil }

    private static func identity(_ certificate: [UInt8]?, _ key: [UInt8]?) throws(Refusal) -> CertificateIdentity {
        guard let certificate, !certificate.isEmpty else { throw .absent(CertificateFolder.certificateName) }
        guard let key, !key.isEmpty else { throw .absent(CertificateFolder.keyName) }
        do throws(TLSError) {
            return try CertificateIdentity(certificatePEM: certificate, keyPEM: key)
        } catch {
            throw .unusable(error)
        }
    }

    /// Two hashes one after the other: where the one text ends and the other begins counts as well.
    private static func digest(_ certificate: [UInt8]?, _ key: [UInt8]?) -> [UInt8] {
        SHA256.hash(of: certificate ?? []).bytes + SHA256.hash(of: key ?? []).bytes
    }
}
