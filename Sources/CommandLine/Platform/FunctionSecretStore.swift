import CRDs
import Commands
import Cryptography
import JSON
import KubernetesClient
import KubernetesTypes

/// The Secrets that are marked as functions'; no other is ever shown, changed or removed.
///
/// As in OpenFaaS a Secret has one key, which is its name: the function finds a file of that name.
struct FunctionSecretStore: Sendable {
    private let cluster: Cluster

    private static let mark = "true"

    init(_ cluster: Cluster) { self.cluster = cluster }

    /// The metadata of all of them, by name; their values are not even asked for.
    ///
    /// - Throws: `CommandFailure`.
    func list() async throws -> [ObjectMeta] {
        try await about("secrets in namespace \(cluster.namespace)") {
            try await cluster.metadata(of: Secret.self, selector: "\(FareboxLabel.functionSecret)=\(Self.mark)")
        }
    }

    /// Makes a Secret, or changes its value.
    ///
    /// - Parameters:
    ///   - name: Its name and its key.
    ///   - value: The value.
    ///   - owner: Whose functions may see it; nil leaves that as it is.
    /// - Returns: Whether it was there.
    /// - Throws: `CommandFailure`: refused where a Secret of the name is not for functions.
    func set(_ name: String, _ value: [UInt8], owner: String?) async throws -> Bool {
        let title = title(name)
        return try await about(title) {
            guard let found = try await find(name) else {
                var metadata = ObjectMeta(
                    name: name, namespace: cluster.namespace,
                    labels: [
                        FareboxLabel.functionSecret: Self.mark, FareboxLabel.managedBy: FareboxLabel.managedByFarebox,
                    ])
                if let owner { metadata.labels[FareboxLabel.owner] = owner }
                _ = try await cluster.api.create(
                    Secret(metadata: metadata, type: "Opaque", data: [name: Base64Bytes(value)]))
                return false
            }
            // Between the look and the change it may have become another.
            var change: JSONValue = [
                "metadata": ["uid": .string(found.uid), "resourceVersion": .string(found.resourceVersion)],
                "data": .object([name: .string(Base64.encode(value))]),
            ]
            if let owner {
                change[path: "metadata", "labels"] = .object([FareboxLabel.owner: .string(owner)])
                // The annotation would win over the label.
                change[path: "metadata", "annotations"] = .object([FareboxAnnotation.owner: .null])
            }
            _ = try await cluster.api.patch(Secret.descriptor, cluster.key(name), .merge(change))
            return true
        }
    }

    /// Makes sure that there is a Secret for functions of the name.
    ///
    /// - Returns: Its metadata.
    /// - Throws: `CommandFailure`: not found where there is none, refused where it is not for functions.
    @discardableResult
    func require(_ name: String) async throws -> ObjectMeta {
        try await about(title(name)) {
            guard let found = try await find(name) else {
                throw CommandFailure(
                    .notFound, "\(title(name)) does not exist",
                    advice: "see which there are: farebox secret list -n \(cluster.namespace)")
            }
            return found
        }
    }

    /// Removes a Secret.
    ///
    /// - Throws: `CommandFailure`: not found where there is none, refused where it is not for functions.
    func remove(_ name: String) async throws {
        let found = try await require(name)
        try await about(title(name)) {
            try await cluster.api.delete(
                Secret.self, cluster.key(name),
                options: DeleteOptions(uid: found.uid, resourceVersion: found.resourceVersion))
        }
    }

    /// The metadata of a Secret for functions; nil where there is none of the name.
    private func find(_ name: String) async throws -> ObjectMeta? {
        var request = APIRequest(.get, Secret.descriptor, namespace: cluster.namespace, name: name)
        request.wantsMetadataOnly = true
        let metadata: ObjectMeta
        do {
            let value = try JSONReader().parse(try await cluster.api.send(request))
            metadata = try JSONReader().decode(ObjectMeta.self, from: value["metadata"] ?? .object([:]))
        } catch let error as KubernetesError where error.isNotFound {
            return nil
        }
        guard metadata.labels[FareboxLabel.functionSecret] == Self.mark else {
            throw CommandFailure(
                .refused, "\(title(name)) is there and is not for functions: it stays as it is",
                advice: "choose another name, or say that it is for functions: kubectl label secret \(name) "
                    + "-n \(cluster.namespace) \(FareboxLabel.functionSecret)=true")
        }
        return metadata
    }

    private func title(_ name: String) -> String { Cluster.title(Secret.self, name, cluster.namespace) }
}
