public import CRDs
import KubernetesTypes

extension Repository {
    /// Whom its functions belong to: the annotation, else the owner in the URL, else the namespace.
    public var owner: OwnerName {
        if let name = metadata.annotations[FareboxAnnotation.owner], !name.isEmpty { return OwnerName(name) }
        let url = try? GitURL(spec.url, allowsPlainHTTP: true)
        // GitLab nests groups, and two groups may both have one called `web`.
        let inURL = spec.provider == .gitLab ? url?.topLevelOwner : url?.owner
        return OwnerName(inURL ?? metadata.namespace)
    }

    /// The repository's short name at its host; the object's name when the URL is none.
    public var hostedName: String {
        guard let name = try? GitURL(spec.url, allowsPlainHTTP: true).repository, !name.isEmpty else {
            return metadata.name
        }
        return name
    }
}
