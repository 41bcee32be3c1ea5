import CRDs
import KubernetesTypes
import YAML

/// One mapping of a file that an author wrote, read with the place of whatever is wrong in it.
struct AuthorFields {
    /// The file's name, for messages.
    let file: String
    /// Where in the file the mapping is, as `functions.cart`; empty for the file itself.
    let path: String
    /// The mapping.
    let node: YAMLNode

    /// What a message calls a field.
    func name(_ key: String) -> String { path.isEmpty ? key : path + "." + key }

    /// The place of a value, or of the mapping when the value is absent.
    func location(_ key: String) -> YAMLLocation { (node[key] ?? node).location }

    /// A failure with the place of a value.
    func invalid(_ key: String, _ message: String) -> BuildFailure { invalid(location(key), message) }

    /// A failure at a place.
    func invalid(_ location: YAMLLocation, _ message: String) -> BuildFailure {
        BuildFailure(.stackInvalid, "\(file) \(location): \(message)")
    }

    /// The value of a key unless it says nothing: null, an empty text, list or mapping.
    func something(_ key: String) -> YAMLNode? {
        guard let value = node[key] else { return nil }
        switch value.content {
        case .scalar: return value.text?.isEmpty == false ? value : nil
        case .sequence(let elements): return elements.isEmpty ? nil : value
        case .mapping(let mapping): return mapping.entries.isEmpty ? nil : value
        }
    }

    /// A text; plain numbers and Booleans count as the text they were written as, as faas-cli has it.
    func text(_ key: String) throws(BuildFailure) -> String? {
        guard let value = node[key] else { return nil }
        guard case .scalar = value.content else { throw invalid(key, "\(name(key)) must be a text") }
        return value.text
    }

    /// A Boolean, in the spellings of YAML 1.2.
    func boolean(_ key: String) throws(BuildFailure) -> Bool? {
        guard let text = try text(key) else { return nil }
        switch text {
        case "true", "True", "TRUE": return true
        case "false", "False", "FALSE": return false
        default: throw invalid(key, "\(name(key)) must be true or false")
        }
    }

    /// Texts by key; null is the empty text.
    func map(_ key: String) throws(BuildFailure) -> [String: String] {
        guard let value = something(key) else { return [:] }
        guard let mapping = value.mapping else { throw invalid(key, "\(name(key)) must be a mapping of texts") }
        var result: [String: String] = [:]
        for entry in mapping.entries {
            guard case .scalar = entry.value.content else {
                throw invalid(entry.value.location, "\(name(key)).\(entry.key) must be a text")
            }
            result[entry.key] = entry.value.text ?? ""
        }
        return result
    }

    /// A list of texts with their places.
    ///
    /// - Parameter what: What the elements are, for the message.
    func list(_ key: String, of what: String) throws(BuildFailure) -> [(text: String, location: YAMLLocation)] {
        guard let value = something(key) else { return [] }
        guard let elements = value.elements else { throw invalid(key, "\(name(key)) must be a list of \(what)") }
        var result: [(String, YAMLLocation)] = []
        for element in elements {
            guard let text = element.text, !text.isEmpty else {
                throw invalid(element.location, "\(name(key)) must be a list of \(what)")
            }
            result.append((text, element.location))
        }
        return result
    }

    /// A mapping inside this one.
    ///
    /// - Parameter what: What it holds, for the message.
    func fields(_ key: String, with what: String) throws(BuildFailure) -> AuthorFields? {
        guard let value = something(key) else { return nil }
        guard value.mapping != nil else { throw invalid(key, "\(name(key)) must be a mapping with \(what)") }
        return AuthorFields(file: file, path: name(key), node: value)
    }

    /// An amount, with what it may be at most.
    func quantity(_ key: String, atMost maximum: Quantity?) throws(BuildFailure) -> Quantity? {
        guard let text = try text(key), !text.isEmpty else { return nil }
        guard let quantity = Quantity(text) else {
            throw invalid(key, "\(name(key)) must be a quantity such as \(key == "cpu" ? "500m" : "128Mi")")
        }
        if let maximum, quantity > maximum {
            throw invalid(key, "\(name(key)): \(quantity) is above this cluster's maximum of \(maximum)")
        }
        return quantity
    }

    /// The path of a folder or file of the repository; nil when it leads out of it.
    ///
    /// It comes without `./` and slashes at its end; the root is the empty path.
    static func treePath(_ text: String) -> String? {
        guard !text.isEmpty, !text.hasPrefix("/"), !text.contains("\\"), !text.contains("\0"),
            text.utf8.count <= 1024
        else { return nil }
        let parts = text.split(separator: "/").filter { $0 != "." }
        return parts.contains("..") ? nil : parts.joined(separator: "/")
    }
}
