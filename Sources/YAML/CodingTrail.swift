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

    /// The path as people write it: `functions.hello.ports[0]`.
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

/// The place of an element in a list.
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

extension YAMLError {
    /// What an `init(from:)` written by hand threw, in our words; the place is where its path leads.
    init(_ error: DecodingError, in root: YAMLNode) {
        let path: [any CodingKey]
        let reason: String
        switch error {
        case .keyNotFound(let key, let context):
            path = context.codingPath + [key]
            reason = "required, but missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            path = context.codingPath
            reason = context.debugDescription
        @unknown default:
            path = []
            reason = "the value does not fit the type"
        }
        var node = root
        for key in path {
            guard let next = key.intValue.flatMap({ node.element($0) }) ?? node[key.stringValue] else { break }
            node = next
        }
        self = .mismatch(path: CodingTrail.text(path), reason: reason, location: node.location)
    }

    /// What an `encode(to:)` written by hand threw, in our words.
    init(_ error: EncodingError) {
        switch error {
        case .invalidValue(_, let context):
            self = .unencodable(path: CodingTrail.text(context.codingPath), reason: context.debugDescription)
        @unknown default:
            self = .unencodable(path: "", reason: "the value has no YAML form")
        }
    }
}

extension YAMLNode {
    fileprivate func element(_ index: Int) -> YAMLNode? {
        guard let elements, elements.indices.contains(index) else { return nil }
        return elements[index]
    }
}
