import CRDs
import Commands
import JSON
import KubernetesClient
import KubernetesTypes

/// The images that a function had, newest first.
struct ImageHistory: Sendable {
    /// One of them.
    struct Entry: Sendable, Equatable {
        /// The image with its digest.
        let image: String
        /// Where it is known from.
        let source: String

        /// The image without its digest.
        var name: String { String(image.prefix { $0 != "@" }) }

        /// The beginning of the digest, which is enough to name the image.
        var shortDigest: String? { image.firstRange(of: "@sha256:").map { String(image[$0.upperBound...].prefix(12)) } }
    }

    /// The image in use; nil where none was found yet.
    let current: String?
    /// All that are known, the one in use among them.
    let entries: [Entry]

    /// Puts together what is known.
    ///
    /// - Parameters:
    ///   - current: The image in use.
    ///   - rollouts: Images of the function's ReplicaSets with their revisions.
    ///   - remembered: Images that a Repository's status remembers, newest first.
    init(current: String?, rollouts: [(revision: Int, image: String)], remembered: [String]) {
        var entries = current.map { [Entry(image: $0, source: "in use")] } ?? []
        entries += rollouts.sorted { $0.revision > $1.revision }.map {
            Entry(image: $0.image, source: "rollout \($0.revision)")
        }
        entries += remembered.map { Entry(image: $0, source: "repository") }
        var seen = Set<String>()
        // A tag leads to another image tomorrow: only a digest can be gone back to.
        self.entries = entries.filter { $0.image.contains("@sha256:") && seen.insert($0.image).inserted }
        self.current = current
    }

    /// The image to go back to.
    ///
    /// - Parameter wish: The beginning of a digest or an image's whole name; nil for the one before.
    /// - Throws: `CommandFailure` where there is none, or more than one.
    func target(_ wish: String?, of function: Function) throws(CommandFailure) -> String {
        let name = "function \(function.metadata.name) in namespace \(function.metadata.namespace)"
        let advice = "see what there is: farebox rollback \(function.metadata.name) --list"
        guard let wish else {
            guard let before = entries.first(where: { $0.image != current }) else {
                throw CommandFailure(.notFound, "\(name): nothing is known of an earlier image", advice: nil)
            }
            return before.image
        }
        let prefix = wish.hasPrefix("sha256:") ? wish.dropFirst(7) : wish[...]
        let found = entries.filter { entry in
            entry.image == wish || (!prefix.isEmpty && entry.image.contains("@sha256:\(prefix)"))
        }
        guard let first = found.first else {
            throw CommandFailure(
                .notFound, "\(name): no image \(TerminalText.line(String(wish.prefix(80)))) is known", advice: advice)
        }
        guard found.count == 1 else {
            throw CommandFailure(.usage, "\(name): several images begin so; give more digits", advice: advice)
        }
        guard first.image != current else {
            throw CommandFailure(.refused, "\(name): this is the image in use", advice: advice)
        }
        return first.image
    }

    /// Reads what the cluster knows.
    ///
    /// - Throws: `CommandFailure`.
    static func read(_ function: Function, _ cluster: Cluster) async throws -> ImageHistory {
        let selector = LabelSelector(matchLabels: [
            FareboxLabel.name: function.metadata.name, FareboxLabel.component: FareboxLabel.functionComponent,
        ])
        let request = APIRequest(
            .list, replicaSets, namespace: function.metadata.namespace,
            query: [("labelSelector", selector.queryValue), ("limit", "100")])
        let title = "the rollouts of function \(function.metadata.name)"
        let sets = try await about(title) { try JSONReader().parse(try await cluster.api.send(request)) }
        let rollouts = (sets["items"]?.arrayValue ?? []).compactMap { set -> (revision: Int, image: String)? in
            let annotations = set[path: "metadata", "annotations"]
            let containers = set[path: "spec", "template", "spec", "containers"]?.arrayValue ?? []
            guard let image = containers.first(where: { $0["name"] == "function" })?["image"]?.stringValue,
                let revision = annotations?[revisionAnnotation]?.stringValue.flatMap({ Int($0) })
            else { return nil }
            return (revision, image)
        }
        var remembered: [String] = []
        if let name = function.spec.source?.repository {
            let repository = try? await cluster.api.get(Repository.self, cluster.key(name))
            let entry = repository?.status?.functions.first { $0.objectName == function.metadata.name }
            remembered = [entry?.image].compactMap { $0 } + (entry?.previousImages ?? [])
        }
        return ImageHistory(current: function.status?.image, rollouts: rollouts, remembered: remembered)
    }

    private static let replicaSets = ResourceDescriptor(
        group: "apps", version: "v1", kind: "ReplicaSet", plural: "replicasets")
    private static let revisionAnnotation = "deployment.kubernetes.io/revision"
}
