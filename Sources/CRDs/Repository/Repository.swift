public import KubernetesTypes

/// A Git repository whose functions Farebox builds and runs.
///
/// The fields are described where the schema is: `Repository+Schema.swift`, shown by `kubectl explain repository.spec`.
public struct Repository: KubernetesResource, Hashable {
    /// `repositories.farebox.dev`, v1alpha1.
    public static let descriptor = ResourceDescriptor(
        group: FareboxLabel.group, version: "v1alpha1", kind: "Repository", plural: "repositories")

    /// Name, labels and the like.
    public var metadata: ObjectMeta
    /// Where the repository is, and what to make of it.
    public var spec: RepositorySpec
    /// What was made of it.
    public var status: RepositoryStatus?

    /// Makes a repository.
    public init(metadata: ObjectMeta, spec: RepositorySpec, status: RepositoryStatus? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}
