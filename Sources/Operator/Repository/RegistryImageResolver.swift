public import Builds
public import KubernetesClient
import KubernetesTypes

/// Finds the digests of image tags by asking their registries.
public struct RegistryImageResolver: ImageResolver {
    private let client: RegistryClient
    private let credentials: RegistryLogins

    /// Makes a resolver.
    ///
    /// - Parameters:
    ///   - client: Asks registries. Functions name them, so its addresses should be guarded as far as the cluster's own
    ///     registry allows.
    ///   - api: For reading the Secret with the passwords.
    ///   - secret: That Secret; nil for none.
    public init(client: RegistryClient, api: any KubernetesAPI, secret: SecretReference?) {
        self.client = client
        credentials = RegistryLogins(api: api, secret: secret)
    }

    /// Asks the registry.
    public func digest(of reference: String) async throws -> String {
        do {
            let image = try ImageReference(parsing: reference)
            return try await client.digest(of: image, credentials: try await credentials.read().credentials)
        } catch let error as RegistryError {
            throw ImageResolverError(error.description)
        } catch let error as ImageReferenceError {
            throw ImageResolverError(error.description)
        } catch let error as BuildFailure {
            throw ImageResolverError(error.message)
        }
    }
}
