import KubernetesTypes

/// The DNS record by which a Function shows that a domain is its own: `_farebox.<domain>` TXT `farebox=<namespace>/<name>`.
struct DomainRecord: Equatable, CustomStringConvertible {
    let name: String
    let text: String

    init(_ domain: String, for function: ObjectKey) {
        name = "_farebox." + domain
        text = "farebox=\(function.namespace)/\(function.name)"
    }

    /// As a zone file has it.
    var description: String { "\(name) TXT \"\(text)\"" }

    /// Whether it is among the texts at its name; the white space that forms add to what is pasted does not matter.
    func stands(among texts: [String]) -> Bool {
        texts.contains { found in
            let found = found.drop(while: \.isWhitespace)
            return found.hasPrefix(text) && found.dropFirst(text.count).allSatisfy(\.isWhitespace)
        }
    }
}
