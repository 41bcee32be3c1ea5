import Cryptography
import HTTP
import JSON
import YAML

/// The key pairs that build secrets are sealed for: the one that is told, and one that it replaced.
///
/// A file says by its key's id which it was sealed for; the id follows from the key. Earlier clients let people choose an id,
/// or left it out: with one that is not known each key is tried, since a box opens for its own key alone.
struct BuildSecretKeys: Sendable {
    private let told: Pair
    private let all: [Pair]

    /// A private key with its public one.
    struct Pair: Sendable {
        fileprivate let privateKey: [UInt8]
        fileprivate let publicText: String
        fileprivate var id: String { String(publicText.prefix(8)) }

        /// Reads a private key in base64, as `faas-cli secret keygen` writes it; nil for anything else.
        init?(text: String) {
            guard let key = Base64.decode(String(text.filter { !$0.isWhitespace }), .standard),
                let publicKey = NaClBox.publicKey(of: key)
            else { return nil }
            privateKey = key
            publicText = Base64.encode(publicKey, .standard)
        }
    }

    /// - Parameters:
    ///   - key: The one that is told.
    ///   - former: The one that it replaced.
    init(_ key: Pair, former: Pair? = nil) {
        told = key
        all = [key] + (former.map { [$0] } ?? [])
    }

    static let algorithm = "nacl/box"
    private static let version = "v1"
    private static let secretsMaximum = 100
    private static let nameBytesMaximum = 100

    /// What `GET /publickey` answers.
    var publicKey: JSONValue {
        [
            "key_id": .string(told.id), "algorithm": .string(Self.algorithm),
            "public_key": .string(told.publicText),
        ]
    }

    /// Opens a sealed file.
    ///
    /// - Returns: The secrets by name.
    /// - Throws: ``BuildRefusal`` for anything that is not whole: no build begins with a part of its secrets.
    func open(_ file: [UInt8]) throws(BuildRefusal) -> [String: [UInt8]] {
        let root: YAMLNode
        do {
            let limits = YAMLReader.Limits(bytesMaximum: BuildArchive.secretsBytesMaximum, depthMaximum: 8)
            root = try YAMLReader(limits: limits).parse(file)
        } catch {
            throw Self.refusal("it is no YAML: \(error)")
        }
        guard root["version"]?.text == Self.version, root["algorithm"]?.text == Self.algorithm else {
            throw Self.refusal("only version \(Self.version) with \(Self.algorithm) is known")
        }
        guard let sender = Self.bytes(root["public_key"]), sender.count == NaClBox.keyBytes,
            let entries = root["secrets"]?.mapping?.entries, entries.count <= Self.secretsMaximum
        else { throw Self.refusal("it has no sender's key, or no more than \(Self.secretsMaximum) secrets") }
        guard entries.allSatisfy({ Self.isName($0.key) }) else {
            throw Self.refusal("a secret's name has letters, digits, '.', '_' and '-', at most 100")
        }
        let named = all.filter { $0.id == root["key_id"]?.text }
        var secrets: [String: [UInt8]] = [:]
        for entry in entries {
            guard let value = Self.value(entry.value, from: sender, named.isEmpty ? all : named) else {
                guard !named.isEmpty else {
                    throw Self.refusal(
                        "\(entry.key) cannot be opened: it was damaged, or sealed for another key than \(told.id); seal it again"
                    )
                }
                throw Self.refusal("\(entry.key) cannot be opened: it was damaged, or sealed for another key")
            }
            secrets[entry.key] = value
        }
        return secrets
    }

    /// What a box holds, opened by the first of the keys that fits; nil when none does.
    private static func value(_ node: YAMLNode, from sender: [UInt8], _ keys: [Pair]) -> [UInt8]? {
        guard let sealed = bytes(node), sealed.count >= NaClBox.nonceBytes else { return nil }
        let (nonce, box) = (Array(sealed[..<NaClBox.nonceBytes]), Array(sealed[NaClBox.nonceBytes...]))
        for key in keys {
            if let value = NaClBox.open(box, nonce: nonce, from: sender, privateKey: key.privateKey) { return value }
        }
        return nil
    }

    private static func refusal(_ why: String) -> BuildRefusal {
        BuildRefusal(.badRequest, "\(BuildArchive.secretsName): \(why)")
    }

    private static func bytes(_ node: YAMLNode?) -> [UInt8]? {
        (node?.text).flatMap { Base64.decode(String($0.filter { !$0.isWhitespace }), .standard) }
    }

    /// It becomes the key of a Secret and the id of a mount.
    private static func isName(_ text: String) -> Bool {
        (1...nameBytesMaximum).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte)
                    || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
            }
    }
}
