import Builds
import CRDs
import Cryptography
import HTTP
import KubernetesClient
import KubernetesTypes
import Synchronization

/// The artifact store with the key that this process shares with it; the key is made when there is none.
final class ArtifactAccess: Sendable {
    /// The Secret with the key, in the system's namespace.
    static let secretName = "farebox-artifacts"
    private static let dataKey = "key"

    private let api: any KubernetesAPI
    private let namespace: String
    private let client: HTTPClient
    private let baseURL: String
    private let known = Mutex<ArtifactTokens?>(nil)

    init(api: any KubernetesAPI, namespace: String, client: HTTPClient, baseURL: String) {
        self.api = api
        self.namespace = namespace
        self.client = client
        self.baseURL = baseURL
    }

    /// The store, ready for use.
    ///
    /// - Throws: `KubernetesError`; ``BuildFailure`` when the Secret holds no key.
    func store() async throws -> any ArtifactStore {
        ArtifactClient(client: client, baseURL: baseURL, tokens: try await tokens())
    }

    /// The tokens of the key.
    ///
    /// - Throws: As ``store()``.
    func tokens() async throws -> ArtifactTokens {
        if let tokens = known.withLock({ $0 }) { return tokens }
        let secret = try await readOrCreate()
        // One base64 is Kubernetes' own; this one keeps the file in the builder's pod a text.
        let text = String(decoding: secret[Self.dataKey] ?? [], as: UTF8.self)
        guard let key = Base64.decode(String(text.prefix { !$0.isWhitespace })), let tokens = ArtifactTokens(key: key)
        else {
            throw BuildFailure(
                .artifactStoreUnavailable,
                "the Secret \(secret.key) holds no key of \(ArtifactTokens.keyBytes) bytes in base64; delete it, and a new "
                    + "one is made")
        }
        known.withLock { $0 = tokens }
        return tokens
    }

    private func readOrCreate() async throws -> Secret {
        let key = ObjectKey(namespace: namespace, name: Self.secretName)
        do {
            return try await api.get(Secret.self, key)
        } catch let error as KubernetesError where error.isNotFound {
            let value = Base64.encode(randomBytes(ArtifactTokens.keyBytes))
            let secret = Secret(
                metadata: ObjectMeta(
                    name: key.name, namespace: key.namespace,
                    labels: [FareboxLabel.managedBy: FareboxLabel.managedByFarebox]),
                type: "Opaque", data: [Self.dataKey: Base64Bytes(Array(value.utf8))])
            do {
                return try await api.create(secret)
            } catch let error as KubernetesError where error.isAlreadyExists {
                return try await api.get(Secret.self, key)
            }
        }
    }
}
