import JSON
import KubernetesClient
import KubernetesTypes

/// An object as the API server has it, whole, and what of it we understand.
struct FetchedObject<Resource: KubernetesResource>: Sendable {
    /// All of it, for `-o json` and `-o yaml`.
    let value: JSONValue
    /// What we understand.
    let object: Resource

    /// Reads a whole object.
    init(_ value: JSONValue) throws {
        var value = value
        // In a list they carry neither; who maintains which field is nothing to show.
        value["apiVersion"] = .string(Resource.descriptor.apiVersion)
        value["kind"] = .string(Resource.descriptor.kind)
        value[path: "metadata", "managedFields"] = nil
        self.value = value
        object = try JSONReader().decode(Resource.self, from: value)
    }

    /// Its name for programs, such as `function.farebox.dev/hello`.
    var name: String {
        let descriptor = Resource.descriptor
        let kind = descriptor.kind.lowercased() + (descriptor.group.isEmpty ? "" : "." + descriptor.group)
        return "\(kind)/\(object.metadata.name)"
    }
}

extension Cluster {
    /// The largest page that is asked for at once.
    private static let pageSize = 500
    /// More objects are nothing a person reads; the rest is told by a failure.
    private static let pagesMaximum = 200

    /// Reads one object.
    ///
    /// - Parameters:
    ///   - type: Its kind.
    ///   - name: Its name, in the namespace.
    ///   - advice: What to do when there is none.
    /// - Throws: `CommandFailure`.
    func read<Resource: KubernetesResource>(
        _ type: Resource.Type, _ name: String, absent advice: String? = nil
    ) async throws -> FetchedObject<Resource> {
        try await about(Self.title(type, name, namespace), absent: advice) {
            try FetchedObject(try await api.get(type.descriptor, key(name)))
        }
    }

    /// Reads all objects of a kind, by name.
    ///
    /// - Parameters:
    ///   - type: The kind.
    ///   - namespace: Where; nil for all namespaces.
    ///   - selector: Chooses by labels.
    /// - Throws: `CommandFailure`.
    func readAll<Resource: KubernetesResource>(
        _ type: Resource.Type, in namespace: String?, selector: String? = nil
    ) async throws -> [FetchedObject<Resource>] {
        let place = namespace.map { "in namespace \($0)" } ?? "in all namespaces"
        return try await about("\(type.descriptor.plural) \(place)") {
            var found: [FetchedObject<Resource>] = []
            var token: String?
            for _ in 0..<Self.pagesMaximum {
                var query = [(name: "limit", value: String(Self.pageSize))]
                if let selector { query.append((name: "labelSelector", value: selector)) }
                if let token { query.append((name: "continue", value: token)) }
                let request = APIRequest(.list, type.descriptor, namespace: namespace, query: query)
                let page = try JSONReader().parse(try await api.send(request))
                found += try (page["items"]?.arrayValue ?? []).map { try FetchedObject($0) }
                token = page[path: "metadata", "continue"]?.stringValue
                guard let more = token, !more.isEmpty else { break }
            }
            return found.sorted {
                let (first, second) = ($0.object.metadata, $1.object.metadata)
                return (first.namespace, first.name) < (second.namespace, second.name)
            }
        }
    }

    /// What an object is called in messages.
    static func title<Resource: KubernetesResource>(
        _ type: Resource.Type, _ name: String, _ namespace: String
    ) -> String {
        "\(type.descriptor.kind.lowercased()) \(TerminalText.line(name)) in namespace \(TerminalText.line(namespace))"
    }
}
