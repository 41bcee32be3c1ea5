/// What money is counted in: a code and how many decimals one unit of the code has.
///
/// Amounts are whole numbers of the smallest part, 10^-scale of one unit. Amounts of two assets are never added, and two
/// scales of one code are two assets.
public struct Asset: Hashable, Sendable {
    /// The longest code.
    public static let codeBytesMaximum = 12
    /// The most decimals: with more, 64 bits would hold no whole unit.
    public static let scaleMaximum: UInt8 = 18

    /// The code, as ISO 4217 or the wallet's ledger has it: 3 to 12 capital letters and digits, a letter first.
    public let code: String
    /// How many decimals one unit has, from 0 to 18.
    public let scale: UInt8

    /// Makes an asset; nil when the code or the scale is out of range.
    ///
    /// - Parameters:
    ///   - code: For example `USD`.
    ///   - scale: For example 9, where an amount of 1 is a billionth of a dollar.
    public init?(code: String, scale: UInt8) {
        let isCode = code.utf8.allSatisfy { byte in
            (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
        guard isCode, (3...Self.codeBytesMaximum).contains(code.utf8.count),
            let first = code.utf8.first, first >= UInt8(ascii: "A"), scale <= Self.scaleMaximum
        else { return nil }
        self.code = code
        self.scale = scale
    }
}

extension Asset: CustomStringConvertible, Codable {
    private enum CodingKeys: String, CodingKey {
        case code
        case scale
    }

    /// `USD/9`: the code and the scale.
    public var description: String { "\(code)/\(scale)" }

    /// Reads an object with `code` and `scale`.
    ///
    /// - Parameter decoder: Where the object is.
    /// - Throws: `DecodingError` when one of them is missing or out of range.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let code = try container.decode(String.self, forKey: .code)
        let scale = try container.decode(UInt8.self, forKey: .scale)
        guard let asset = Asset(code: code, scale: scale) else {
            throw DecodingError.dataCorruptedError(
                forKey: .code, in: container,
                debugDescription: "an asset has 3 to 12 capital letters and digits, and a scale from 0 to 18")
        }
        self = asset
    }
}
