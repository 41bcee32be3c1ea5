import Builds
import CRDs
import KubernetesClient
import KubernetesTypes

/// Reads the registries' passwords when they are needed, so that new ones count at once.
struct RegistryLogins: Sendable {
    let api: any KubernetesAPI
    /// Nil when the registries ask for no password.
    let secret: SecretReference?

    private static let dataKey = ".dockerconfigjson"
    private static let nobody = Array(#"{"auths":{}}"#.utf8)

    /// The passwords, read and as the file that builds get.
    ///
    /// - Throws: ``BuildFailure`` with `RegistryAuthFailed` when the Secret is missing or no such Secret.
    func read() async throws -> (credentials: RegistryCredentials, dockerConfig: [UInt8]) {
        guard let secret else { return (RegistryCredentials(), Self.nobody) }
        let found: Secret
        do {
            found = try await api.get(Secret.self, secret.key)
        } catch let error as KubernetesError where error.isNotFound {
            throw BuildFailure(
                .registryAuthFailed,
                "the Secret \(secret.key) with the registry's password does not exist; the administrator has to create it"
            )
        }
        guard let config = found[Self.dataKey] else {
            throw BuildFailure(.registryAuthFailed, "the Secret \(secret.key) has no key \(Self.dataKey)")
        }
        do {
            return (try RegistryCredentials(dockerConfig: config), config)
        } catch {
            throw BuildFailure(.registryAuthFailed, "the Secret \(secret.key): \(error)")
        }
    }
}
