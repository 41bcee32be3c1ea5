import Builds
import CRDs
import ClusterAccess
import Commands
import KubernetesClient
import KubernetesTypes
import Timing

/// Shows the log of a function's build, as far as its pod is there.
struct BuildLog: Sendable {
    private let cluster: Cluster
    private let printer: LogPrinter
    private let console: Console

    init(_ cluster: Cluster, _ printer: LogPrinter, _ console: Console) {
        self.cluster = cluster
        self.printer = printer
        self.console = console
    }

    /// How often to look whether the pod has started, and how often at most.
    private static let interval = Duration.seconds(1)
    private static let looksMaximum = 600

    /// Shows the newest build's log, or says where it is kept.
    ///
    /// - Throws: `CommandFailure`.
    func show(_ function: Function, _ query: FunctionLogQuery) async throws {
        let name = function.metadata.name
        guard let pod = try await newestPod(of: function) else { return try await tellKept(function) }
        try await about("the log of the build of function \(name)") {
            try await start(of: pod, follows: query.follows)
            var options = LogOptions(
                container: BuildJob.containerName, follows: query.follows, showsTimestamps: true)
            options.tailLines = query.tail
            options.since = query.since
            let stream = try await cluster.api.logs(pod.key, options: options)
            defer { stream.cancel() }
            var lines = LogLines()
            while let piece = try await stream.next() { printer.take(lines.take(piece), from: pod.metadata.name) }
            if let last = lines.finish() { printer.take([last], from: pod.metadata.name) }
        }
    }

    /// The pod of the build that began last; nil when there is none any more.
    private func newestPod(of function: Function) async throws -> Pod? {
        var labels = [
            FareboxLabel.managedBy: FareboxLabel.managedByFarebox, FareboxLabel.component: BuildJob.component,
            FareboxLabel.function: LabelValue.sanitised(function.identity?.function ?? function.metadata.name),
        ]
        if let repository = function.spec.source?.repository {
            labels[FareboxLabel.repository] = LabelValue.sanitised(repository)
        }
        let selector = LabelSelector(matchLabels: labels).queryValue
        let pods = try await cluster.readAll(Pod.self, in: Cluster.buildsNamespace, selector: selector)
        return pods.map(\.object).max {
            ($0.metadata.creationTimestamp?.timestamp ?? .earliest)
                < ($1.metadata.creationTimestamp?.timestamp ?? .earliest)
        }
    }

    private func start(of pod: Pod, follows: Bool) async throws {
        guard follows else { return }
        for _ in 0..<Self.looksMaximum {
            let now = try await cluster.api.get(Pod.self, pod.key)
            if now.status?.phase != "Pending" { return }
            // A log can be asked for only once the pod has started, and a watch would need one more right.
            try await Task.sleep(for: Self.interval)
        }
    }

    /// Says where the log of a build that has ended is, and what its end was.
    private func tellKept(_ function: Function) async throws {
        let name = function.metadata.name
        guard let repository = function.spec.source?.repository else {
            throw CommandFailure(
                .notFound, "the build of function \(name) has ended, and no log of it is in the cluster",
                advice: "build it again: farebox build")
        }
        let fetched = try await cluster.read(Repository.self, repository)
        let entry = fetched.object.status?.functions.first { $0.objectName == name }
        if let message = entry?.message, !message.isEmpty {
            console.write(console.isTerminal ? TerminalText.shown(Array(message.utf8)) : Array(message.utf8))
            console.say("")
        }
        guard let url = entry?.logURL else {
            throw CommandFailure(
                .notFound, "the build of function \(name) has ended, and its log has no address",
                advice: "set logs.publicURL (docs/logs.md)")
        }
        console.note("the build has ended; its log is kept at \(TerminalText.line(url))")
    }
}
