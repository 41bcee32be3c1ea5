import Builds
import KubernetesClient
import KubernetesTypes

/// A place that runtimes come from, read when they are first wanted.
struct RuntimeOrigin: Sendable {
    /// Where it is, for people.
    let name: String
    /// How long what was read counts; nil for good, since it was named by a digest.
    let lifetime: Duration?
    /// - Throws: Whatever keeps it from being read.
    let read: @Sendable () async throws -> FoundRuntimes

    /// The places that the configuration names, in the order of precedence: the last counts most.
    static func all(
        _ configuration: RepositoryClusterConfiguration, registry: RegistryClient, logins: RegistryLogins
    )
        -> [RuntimeOrigin]
    {
        let settings = configuration.runtimes
        var origins: [RuntimeOrigin] = []
        if !settings.folder.isEmpty { origins.append(folder(settings.folder)) }
        origins += settings.git.map { commit($0, configuration.gitConfiguration) }
        origins += settings.oci.map { artifact($0, registry, logins) }
        return origins
    }

    private static func folder(_ path: String) -> RuntimeOrigin {
        let folder = RuntimeFolder(path)
        return RuntimeOrigin(name: path, lifetime: .seconds(60)) { try await folder.read() }
    }

    private static func commit(_ source: RuntimeSettings.Commit, _ configuration: GitConfiguration) -> RuntimeOrigin {
        let name = "\(source.url) at \(source.commit.prefix(7))"
        return RuntimeOrigin(name: name, lifetime: nil) {
            let url = try GitURL(source.url, allowsPlainHTTP: configuration.allowsPlainHTTP)
            return try await GitCheckout(configuration: configuration).withTree(
                commit: source.commit, branch: source.branch ?? "main", url: url, credentials: nil
            ) { try await RuntimeTree().read($0, path: trimmed(source.path), source: name) }
        }
    }

    private static func artifact(
        _ source: RuntimeSettings.Artifact, _ registry: RegistryClient, _ logins: RegistryLogins
    ) -> RuntimeOrigin {
        RuntimeOrigin(name: source.image, lifetime: nil) {
            let layers = try await registry.artifact(
                try ImageReference(parsing: source.image), credentials: try await logins.read().credentials)
            return try await RuntimeArchive().read(layers, path: trimmed(source.path), source: source.image)
        }
    }

    /// A path without slashes around it.
    private static func trimmed(_ path: String?) -> String {
        (path ?? "").split(separator: "/").filter { $0 != "." }.joined(separator: "/")
    }
}
