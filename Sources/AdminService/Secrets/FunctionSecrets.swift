import CRDs
import Cryptography
import HTTP
import JSON
import KubernetesClient
import KubernetesTypes

/// The Secrets that are marked as functions'; no other is ever shown, changed or removed.
///
/// As in OpenFaaS a Secret has one key, which is its name: the function finds a file of that name.
struct FunctionSecrets: Sendable {
    let api: any KubernetesAPI

    private static let mark = "true"
    private static let listMaximum = 10_000

    /// The names of a namespace's, in order; their values are not even asked for.
    ///
    /// - Throws: ``AdminRefusal``.
    func names(in namespace: String) async throws(AdminRefusal) -> [String] {
        do {
            var request = APIRequest(
                .list, Secret.descriptor, namespace: namespace,
                query: [
                    ("labelSelector", "\(FareboxLabel.functionSecret)=\(Self.mark)"),
                    ("limit", String(Self.listMaximum)),
                ])
            request.wantsMetadataOnly = true
            let answer = try JSONReader().decode(ResourceList<Secret>.self, from: try await api.send(request))
            return answer.items.map(\.metadata.name).sorted()
        } catch {
            throw AdminRefusal(any: error, "secrets in namespace \(namespace)", showsMessage: false)
        }
    }

    /// The version and uid of a Secret; nil when there is none, or none that is marked.
    ///
    /// - Throws: ``AdminRefusal``.
    func find(_ key: ObjectKey) async throws(AdminRefusal) -> ObjectMeta? {
        do {
            var request = APIRequest(.get, Secret.descriptor, namespace: key.namespace, name: key.name)
            request.wantsMetadataOnly = true
            let secret = try JSONReader().decode(Secret.self, from: try await api.send(request))
            return secret.metadata.labels[FareboxLabel.functionSecret] == Self.mark ? secret.metadata : nil
        } catch let error as KubernetesError where error.isNotFound {
            return nil
        } catch {
            throw AdminRefusal(any: error, Self.name(of: key), showsMessage: false)
        }
    }

    /// Makes a Secret.
    ///
    /// - Throws: ``AdminRefusal``: 409 when there is one, marked or not.
    func create(_ key: ObjectKey, _ value: [UInt8]) async throws(AdminRefusal) {
        let metadata = ObjectMeta(
            name: key.name, namespace: key.namespace,
            labels: [
                FareboxLabel.functionSecret: Self.mark, FareboxLabel.managedBy: FareboxLabel.managedByFarebox,
            ])
        do {
            _ = try await api.create(Secret(metadata: metadata, type: "Opaque", data: [key.name: Base64Bytes(value)]))
        } catch {
            throw AdminRefusal(any: error, Self.name(of: key), showsMessage: false)
        }
    }

    /// Sets the value of a Secret; other keys that it has stay.
    ///
    /// - Throws: ``AdminRefusal``: 404 when there is none that is marked.
    func update(_ key: ObjectKey, _ value: [UInt8]) async throws(AdminRefusal) {
        let found = try await marked(key)
        let patch = Patch.merge([
            // Between the look and the change it may have become another.
            "metadata": ["uid": .string(found.uid), "resourceVersion": .string(found.resourceVersion)],
            "data": .object([key.name: .string(Base64.encode(value))]),
        ])
        do {
            _ = try await api.patch(Secret.descriptor, key, patch)
        } catch {
            throw AdminRefusal(any: error, Self.name(of: key), showsMessage: false)
        }
    }

    /// Removes a Secret.
    ///
    /// - Throws: ``AdminRefusal``: 404 when there is none that is marked.
    func delete(_ key: ObjectKey) async throws(AdminRefusal) {
        let found = try await marked(key)
        do {
            try await api.delete(
                Secret.self, key,
                options: DeleteOptions(uid: found.uid, resourceVersion: found.resourceVersion))
        } catch {
            throw AdminRefusal(any: error, Self.name(of: key), showsMessage: false)
        }
    }

    private func marked(_ key: ObjectKey) async throws(AdminRefusal) -> ObjectMeta {
        guard let found = try await find(key) else {
            throw AdminRefusal(.notFound, "there is no \(Self.name(of: key))")
        }
        return found
    }

    private static func name(of key: ObjectKey) -> String { "secret \(key.name) in namespace \(key.namespace)" }
}
