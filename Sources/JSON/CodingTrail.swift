/// The way from the root to the value at hand, innermost key first.
///
/// A linked list costs one allocation per nested container; the array that `Codable` asks for is built only when
/// somebody reads it.
final class CodingTrail: Sendable {
    private let key: any CodingKey
    private let parent: CodingTrail?

    init(_ key: any CodingKey, after parent: CodingTrail?) {
        self.key = key
        self.parent = parent
    }

    static func codingPath(_ trail: CodingTrail?) -> [any CodingKey] {
        var keys: [any CodingKey] = []
        var current = trail
        while let node = current {
            keys.append(node.key)
            current = node.parent
        }
        return keys.reversed()
    }

    /// The path as people write it: `spec.ports[0].port`.
    static func text(_ codingPath: [any CodingKey]) -> String {
        var text = ""
        for key in codingPath {
            if let index = key.intValue {
                text += "[\(index)]"
            } else {
                text += text.isEmpty ? key.stringValue : "." + key.stringValue
            }
        }
        return text
    }

    /// The path of a field of the value at `trail`.
    static func text(_ trail: CodingTrail?, _ key: (any CodingKey)? = nil) -> String {
        text(codingPath(trail) + (key.map { [$0] } ?? []))
    }
}

/// The place of an element in an array.
struct IndexKey: CodingKey {
    let index: Int

    init(_ index: Int) {
        self.index = index
    }

    init?(intValue: Int) {
        index = intValue
    }

    init?(stringValue: String) {
        guard let index = Int(stringValue) else { return nil }
        self.index = index
    }

    var intValue: Int? { index }
    var stringValue: String { String(index) }
}

/// Where `Codable` keeps a superclass.
struct SuperKey: CodingKey {
    init() {}
    init?(intValue: Int) { nil }
    init?(stringValue: String) { nil }

    var intValue: Int? { nil }
    var stringValue: String { "super" }
}

extension JSONError {
    /// What an `init(from:)` written by hand threw, in our words.
    init(_ error: DecodingError) {
        switch error {
        case .keyNotFound(let key, let context):
            self = .mismatch(path: CodingTrail.text(context.codingPath + [key]), reason: "required, but missing")
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            self = .mismatch(path: CodingTrail.text(context.codingPath), reason: context.debugDescription)
        @unknown default:
            self = .mismatch(path: "", reason: "the value does not fit the type")
        }
    }

    /// What an `encode(to:)` written by hand threw, in our words.
    init(_ error: EncodingError) {
        switch error {
        case .invalidValue(_, let context):
            self = .unencodable(path: CodingTrail.text(context.codingPath), reason: context.debugDescription)
        @unknown default:
            self = .unencodable(path: "", reason: "the value has no JSON form")
        }
    }
}
