import Builds
import KubernetesClient
import KubernetesTypes
import Synchronization

/// Knows what the log of a running build must not show.
final class BuildSecretSource: Sendable {
    private let api: any KubernetesAPI
    private let credentials: ObjectKey?
    private let tokens: ArtifactTokens
    private let known = Mutex<(credentials: RegistryCredentials, until: ContinuousClock.Instant)?>(nil)

    /// A new password is hidden after this time at the latest.
    private static let lifetime = Duration.seconds(30)
    private static let dataKey = ".dockerconfigjson"

    init(api: any KubernetesAPI, credentials: ObjectKey?, tokens: ArtifactTokens) {
        self.api = api
        self.credentials = credentials
        self.tokens = tokens
    }

    /// What hides the secrets of a build.
    ///
    /// - Parameter values: What else it must not show.
    /// - Throws: `KubernetesError` when the secrets cannot be known: then the log must not be shown.
    func masker(for pod: Pod, hiding values: [String] = []) async throws -> LogMasker {
        let arguments = pod.spec?.containers.first { $0.name == BuildJob.containerName }?.args ?? []
        let tokens = tokens
        return LogMasker(
            values: BuildSecrets.values(
                arguments: arguments, credentials: try await registryCredentials(),
                readToken: { tokens.read(digest: $0) }) + values)
    }

    /// The registries' passwords.
    ///
    /// - Throws: `KubernetesError`.
    func registryCredentials() async throws -> RegistryCredentials {
        guard let reference = credentials else { return RegistryCredentials() }
        if let known = known.withLock({ $0 }), known.until > .now { return known.credentials }
        var found = RegistryCredentials()
        do {
            let secret = try await api.get(Secret.self, reference)
            if let config = secret[Self.dataKey] { found = try RegistryCredentials(dockerConfig: config) }
        } catch let error as KubernetesError where error.isNotFound {
            // Registries without a password need no Secret.
        } catch let error as RegistryCredentialsError {
            throw KubernetesError.configuration("the Secret \(reference): \(error)")
        }
        known.withLock { $0 = (found, .now + Self.lifetime) }
        return found
    }
}
