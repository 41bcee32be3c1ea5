public import Builds
public import KubernetesClient
import KubernetesTypes

/// Finds the digests of image tags by asking their registries.
public struct RegistryImageResolver: ImageResolver {
    private let own: RegistryClient
    private let others: RegistryClient
    private let ownRegistries: Set<String>
    private let credentials: RegistryLogins

    /// Makes a resolver.
    ///
    /// - Parameters:
    ///   - own: Asks the registries that the administrator configured, wherever they are.
    ///   - others: Asks all other registries. Functions name them, so it must refuse private addresses.
    ///   - ownRegistries: The administrator's registries, as `host` or `host:port`.
    ///   - api: For reading the Secret with the passwords.
    ///   - secret: That Secret; nil for none.
    public init(
        own: RegistryClient, others: RegistryClient, ownRegistries: Set<String>, api: any KubernetesAPI,
        secret: SecretReference?
    ) {
        self.own = own
        self.others = others
        self.ownRegistries = ownRegistries
        credentials = RegistryLogins(api: api, secret: secret)
    }

    /// Asks the registry.
    public func digest(of reference: String) async throws -> String {
        do {
            let image = try ImageReference(parsing: reference)
            let client = ownRegistries.contains(image.registry) ? own : others
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
