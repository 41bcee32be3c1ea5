/// What a function may connect to.
///
/// In manifests: the word `Internet`, the word `None`, or a list of blocks of addresses.
public enum Egress: Hashable, Sendable {
    /// Every public address; no private, link-local or otherwise special one.
    case internet
    /// Nothing.
    case none
    /// These blocks of addresses, as written; validation says whether they are some.
    case ranges([String])
}

extension Egress: Codable {
    /// The words that stand for the cases without a list.
    enum Word: String, CaseIterable {
        case internet = "Internet"
        case none = "None"
    }

    /// Decodes a word or a list of texts.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let text = try? container.decode(String.self) else {
            self = .ranges(try container.decode([String].self))
            return
        }
        switch Word(rawValue: text) {
        case .internet: self = .internet
        case .none?: self = .none
        case nil:
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "\(text) is neither Internet, None nor a list of address blocks")
        }
    }

    /// Encodes a word or a list of texts.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .internet: try container.encode(Word.internet.rawValue)
        case .none: try container.encode(Word.none.rawValue)
        case .ranges(let ranges): try container.encode(ranges)
        }
    }
}
