import HTTP
import KubernetesTypes

/// The parameters of a request's query, as HTML forms and Go's `url.Values` write them.
struct QueryParameters: Sendable, Equatable {
    private let pairs: [Pair]

    private struct Pair: Sendable, Equatable {
        let name: String
        let value: String
    }

    /// Reads a query without its `?`.
    ///
    /// - Throws: ``AdminRefusal`` when it is not percent-encoded.
    init(_ query: String?) throws(AdminRefusal) {
        var pairs: [Pair] = []
        for part in (query ?? "").split(separator: "&") {
            let sides = part.replacing("+", with: " ").split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentEncoding.decode(sides[0]),
                let value = PercentEncoding.decode(sides.count == 2 ? sides[1] : "")
            else { throw AdminRefusal(.badRequest, "the query is not percent-encoded") }
            pairs.append(Pair(name: name, value: value))
        }
        self.pairs = pairs
    }

    /// The first value of a parameter; nil when it is absent or empty.
    subscript(name: String) -> String? {
        pairs.first { $0.name == name }.flatMap { $0.value.isEmpty ? nil : $0.value }
    }

    /// A Boolean parameter; false when it is absent.
    ///
    /// - Throws: ``AdminRefusal`` for anything but a Boolean.
    func flag(_ name: String) throws(AdminRefusal) -> Bool {
        switch self[name] {
        case nil, "0", "false": return false
        case "1", "true": return true
        default: throw AdminRefusal(.badRequest, "\(name): true or false")
        }
    }
}
