public import JSON

/// What a function may connect to.
///
/// In manifests: the word `Internet`, the word `None`, or a list of blocks of addresses. A structural schema cannot say
/// that, so an object may hold something else; it is kept, so that validation can tell its author.
public enum Egress: Hashable, Sendable {
    /// Every public address; no private, link-local or otherwise special one.
    case internet
    /// Nothing.
    case none
    /// These blocks of addresses, as written; validation says whether they are some.
    case ranges([String])
    /// Something else, which validation refuses.
    case malformed(JSONValue)
}

extension Egress: Codable {
    /// The words that stand for the cases without a list.
    enum Word: String, CaseIterable {
        case internet = "Internet"
        case none = "None"
    }

    /// Decodes any value; what is neither a word nor a list of texts is malformed.
    public init(from decoder: any Decoder) throws {
        let value = try JSONValue(from: decoder)
        if let word = value.stringValue.flatMap({ Word(rawValue: $0) }) {
            self = word == .internet ? .internet : .none
        } else if let elements = value.arrayValue, case let texts = elements.compactMap(\.stringValue),
            texts.count == elements.count
        {
            self = .ranges(texts)
        } else {
            self = .malformed(value)
        }
    }

    /// Encodes a word, a list of texts, or what was decoded.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .internet: try container.encode(Word.internet.rawValue)
        case .none: try container.encode(Word.none.rawValue)
        case .ranges(let ranges): try container.encode(ranges)
        case .malformed(let value): try container.encode(value)
        }
    }
}
