import JSON
import KubernetesClient
import KubernetesTypes

extension Cluster {
    /// The metadata of all objects of a kind in the namespace, by name; of Secrets no value is even asked for.
    ///
    /// - Throws: `KubernetesError`.
    func metadata<Resource: KubernetesResource>(
        of type: Resource.Type, selector: String? = nil
    ) async throws -> [ObjectMeta] {
        var query = [(name: "limit", value: String(Self.metadataMaximum))]
        if let selector { query.append((name: "labelSelector", value: selector)) }
        var request = APIRequest(.list, type.descriptor, namespace: namespace, query: query)
        request.wantsMetadataOnly = true
        let page = try JSONReader().parse(try await api.send(request))
        return try (page["items"]?.arrayValue ?? []).map {
            try JSONReader().decode(ObjectMeta.self, from: $0["metadata"] ?? .object([:]))
        }.sorted { $0.name < $1.name }
    }

    /// More names than that are nothing a person chooses from.
    private static let metadataMaximum = 10_000
}
