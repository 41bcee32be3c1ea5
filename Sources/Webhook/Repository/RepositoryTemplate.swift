import CRDs
import FoundationEssentials
import JSON
import KubernetesTypes
import YAML

/// What every Repository gets that an event brings into being, beside what the event says.
///
/// It is written like a Repository without `spec.url`:
///
/// ```yaml
/// metadata:
///   labels: {team: web}
/// spec:
///   interval: 10m
///   build: {timeout: 20m}
/// ```
///
/// A `spec.branch` holds the branch fast; without one it follows the default branch at the Git host.
struct RepositoryTemplate: Equatable, Sendable {
    var labels: [String: String] = [:]
    var annotations: [String: String] = [:]
    /// The specification, with a URL that stands for none.
    var spec = RepositorySpec(url: "")

    /// Why a template cannot be used.
    struct Refusal: Error, Equatable, CustomStringConvertible {
        let description: String
    }

    private struct File: Decodable {
        struct Metadata: Decodable {
            let labels: [String: String]?
            let annotations: [String: String]?
        }

        let apiVersion: String?
        let kind: String?
        let metadata: Metadata?
        let spec: JSONValue?
    }

    /// A template that adds nothing.
    init() {}

    /// Reads a template.
    ///
    /// - Throws: ``Refusal`` for a key that is not known or not its business, so that a misspelt one is never ignored.
    init(_ bytes: [UInt8]) throws(Refusal) {
        let file: File
        do {
            file = try YAMLReader(unknownKeys: .refuse).decode(File.self, from: bytes)
        } catch {
            throw Refusal(description: "\(error)")
        }
        labels = file.metadata?.labels ?? [:]
        annotations = file.metadata?.annotations ?? [:]
        guard !annotations.keys.contains(where: { LabelKey.prefix($0) == FareboxLabel.group }) else {
            throw Refusal(description: "metadata.annotations: those of \(FareboxLabel.group) are the webhook's")
        }
        guard case .object(var fields) = file.spec ?? .object([:]) else {
            throw Refusal(description: "spec: expected a mapping")
        }
        guard fields["url"] == nil else { throw Refusal(description: "spec.url comes from the event; leave it out") }
        fields["url"] = ""
        do {
            spec = try JSONReader().decode(RepositorySpec.self, from: .object(fields))
            let understood = try JSONWriter().value(of: spec)
            if let lost = fields.keys.first(where: { understood[$0] == nil }) {
                throw Refusal(description: "spec.\(lost) is not known")
            }
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            throw Refusal(description: "spec: \(error)")
        }
    }

    /// Reads the file at `path`; a file that is not there is a template that adds nothing.
    static func file(_ path: String) throws(Refusal) -> RepositoryTemplate {
        guard let data = try? Data(contentsOf: URL(filePath: path)) else { return RepositoryTemplate() }
        return try RepositoryTemplate(Array(data))
    }

    /// Makes a Repository.
    ///
    /// - Parameters:
    ///   - remote: What the event says.
    ///   - url: What is cloned.
    ///   - name: The object's name and namespace.
    ///   - host: The kind of host the event came from.
    func repository(
        for remote: RemoteRepository, url: String, named name: ObjectKey, host: GitHostKind
    ) -> Repository {
        var spec = spec
        spec.url = url
        spec.provider = host.provider
        spec.installationID = remote.installationID ?? spec.installationID
        spec.projectID = remote.projectID ?? spec.projectID
        var annotations = annotations
        annotations[FareboxAnnotation.owner] = remote.owner
        annotations[FareboxAnnotation.createdBy] = FareboxAnnotation.createdByWebhook
        if spec.branch == nil {
            spec.branch = remote.defaultBranch ?? RepositorySpec.branchDefault
            annotations[FareboxAnnotation.defaultBranch] = spec.branch
        }
        return Repository(
            metadata: ObjectMeta(
                name: name.name, namespace: name.namespace, labels: labels, annotations: annotations),
            spec: spec)
    }
}
