import CRDs
import Cryptography

/// The name of a Repository object that an event brings into being.
enum RepositoryName {
    private static let digestCharacters = 6

    /// `<owner>-<name>` as a DNS label; not unique, since different names can come to the same.
    static func short(owner: String, address: RepositoryAddress) -> String {
        label("\(owner)-\(address.path.split(separator: "/").last ?? "")", bytesMaximum: DNSName.labelBytesMaximum)
    }

    /// The same with the first digits of the SHA-256 of the whole address, for when the short one is taken.
    static func long(owner: String, address: RepositoryAddress) -> String {
        let digest = SHA256.hash(of: address.description).hex.prefix(digestCharacters)
        let room = DNSName.labelBytesMaximum - digestCharacters - 1
        return label(
            "\(owner)-\(address.path.split(separator: "/").last ?? "")", bytesMaximum: room) + "-" + digest
    }

    /// The closest DNS label: lower case, everything else a hyphen, none at the ends.
    private static func label(_ text: String, bytesMaximum: Int) -> String {
        let bytes = text.lowercased().unicodeScalars.map { scalar -> UInt8 in
            switch scalar {
            case "a"..."z", "0"..."9": UInt8(truncatingIfNeeded: scalar.value)
            default: UInt8(ascii: "-")
            }
        }
        let isHyphen: (UInt8) -> Bool = { $0 == UInt8(ascii: "-") }
        let cut = Array(bytes.drop(while: isHyphen).prefix(bytesMaximum))
        let trimmed = Array(cut.reversed().drop(while: isHyphen).reversed())
        return trimmed.isEmpty ? "repository" : String(decoding: trimmed, as: UTF8.self)
    }
}
