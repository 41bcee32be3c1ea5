/// What a build knows and its log must not show.
public enum BuildSecrets {
    /// The values that a log of a build is masked with: the registries' passwords and the token of its context.
    ///
    /// - Parameters:
    ///   - arguments: Of the build's container.
    ///   - credentials: What it pushes with.
    ///   - readToken: Makes the token of a context; nil when the key is not known.
    public static func values(
        arguments: [String], credentials: RegistryCredentials, readToken: ((String) -> String)?
    ) -> [String] {
        var values = credentials.secrets
        if let url = arguments.first(where: { $0.hasPrefix("context=") }), let slash = url.lastIndex(of: "/"),
            let digest = ArtifactPath.digest(inFileName: String(url[url.index(after: slash)...])), let readToken
        {
            values.append(readToken(digest))
        }
        return values
    }
}
