/// Whom an SPSP query wants to pay, as its path names it.
public enum PayeeName: Hashable, Sendable {
    /// The host of the platform: `/.well-known/pay`.
    case host
    /// A function by its owner and its own name: `/<owner>/<function>`.
    case function(owner: String, name: String)
    /// A function by the name of its object: `/<owner>-<function>`, or `/<name>` where it has no owner.
    ///
    /// Not injective: `alex` + `ellis-fn` and `alex-ellis` + `fn` join to the same text.
    case joined(String)

    /// Owner and function together are not longer than the name of a Function, with a slash for the hyphen.
    private static let bytesMaximum = 253

    /// Reads the path of a query.
    ///
    /// - Parameter path: The path as sent. Escapes are decoded once.
    /// - Returns: nil for a path that can name nobody.
    public init?(path: String) {
        guard path.hasPrefix("/"), path.utf8.count <= 3 * Self.bytesMaximum else { return nil }
        if path == "/.well-known/pay" {
            self = .host
            return
        }
        let segments = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        let names = segments.compactMap(Self.name)
        guard names.count == segments.count, names.reduce(0, { $0 + $1.utf8.count + 1 }) <= Self.bytesMaximum else {
            return nil
        }
        switch names.count {
        case 1: self = .joined(names[0])
        case 2: self = .function(owner: names[0], name: names[1])
        default: return nil
        }
    }

    /// Decodes one segment; nil when it holds what no owner and no function is called.
    private static func name(_ segment: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = segment.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        guard !bytes.isEmpty, bytes != [UInt8(ascii: ".")], bytes != Array("..".utf8),
            bytes.allSatisfy(isNameCharacter)
        else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isNameCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
