import Cryptography

/// Replaces secret values in text that people get to see: build logs, reasons, commit statuses.
///
/// Each value is found as it is, line by line when it has several, in base64 and base64url at every alignment (so also
/// inside `user:password`), and percent-encoded. Longer forms win over shorter ones that they contain. Values shorter
/// than ``valueBytesMinimum`` are left alone: masking them would destroy the text and hide nothing.
///
/// It does not promise to find a value that was split, reversed, hashed or encoded in another way.
public struct LogMasker: Sendable {
    /// The shortest value worth hiding.
    public static let valueBytesMinimum = 4
    /// What stands where a secret stood.
    public static let mask = "***"

    private let forms: [UInt8: [[UInt8]]]
    /// The longest text that is looked for; whoever cuts text that was masked cuts this much more.
    public let longestBytes: Int

    /// - Parameter values: The secrets; empty and short ones are ignored.
    public init(values: [String]) {
        var all: Set<[UInt8]> = []
        for value in values {
            for part in [Substring(value)] + value.split(whereSeparator: \.isNewline) {
                let bytes = Array(part.utf8)
                guard bytes.count >= Self.valueBytesMinimum else { continue }
                all.formUnion(Self.forms(of: bytes))
            }
        }
        var table: [UInt8: [[UInt8]]] = [:]
        for form in all.sorted(by: { $0.count > $1.count }) {
            guard let first = form.first else { continue }
            table[first, default: []].append(form)
        }
        forms = table
        longestBytes = all.map(\.count).max() ?? 0
    }

    /// Returns the text with each secret replaced by ``mask``.
    public func masked(_ text: String) -> String {
        String(decoding: masked(Array(text.utf8)), as: UTF8.self)
    }

    /// Returns the bytes with each secret replaced by ``mask``.
    public func masked(_ bytes: [UInt8]) -> [UInt8] {
        guard !forms.isEmpty else { return bytes }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            let rest = bytes[index...]
            if let form = forms[bytes[index]]?.first(where: { rest.starts(with: $0) }) {
                result.append(contentsOf: Self.mask.utf8)
                index += form.count
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return result
    }

    private static func forms(of value: [UInt8]) -> Set<[UInt8]> {
        var forms: Set<[UInt8]> = [value, percentEncoded(value, upper: true), percentEncoded(value, upper: false)]
        for variant in [Base64.Variant.standard, .url] {
            for shift in 0..<3 {
                // With `shift` unknown bytes before it, the first digits mix both: drop them; likewise at the end.
                let encoded = Array(Base64.encode([UInt8](repeating: 0, count: shift) + value, variant).utf8)
                let head = (shift * 8 + 5) / 6
                let whole = (shift + value.count) * 8 / 6
                guard whole > head, whole - head >= valueBytesMinimum else { continue }
                forms.insert(Array(encoded[head..<whole]))
            }
            forms.insert(Array(Base64.encode(value, variant).utf8))
        }
        return forms
    }

    private static func percentEncoded(_ value: [UInt8], upper: Bool) -> [UInt8] {
        let digits = Array((upper ? "0123456789ABCDEF" : "0123456789abcdef").utf8)
        var result: [UInt8] = []
        for byte in value {
            if ASCII.isAlphanumeric(byte) || "-._~".utf8.contains(byte) {
                result.append(byte)
            } else {
                result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return result
    }
}
