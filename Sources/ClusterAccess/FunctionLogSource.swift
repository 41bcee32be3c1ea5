import CRDs
import HTTP
public import KubernetesClient
public import KubernetesTypes
import Timing

/// Which lines of a function's log somebody wants.
public struct FunctionLogQuery: Sendable, Hashable {
    /// Only so many lines from the end of each pod's log.
    public var tail: Int?
    /// Only lines that are younger.
    public var since: Duration?
    /// Whether to wait for further lines, and further pods.
    public var follows: Bool
    /// Only this pod's; nil for those of all pods.
    public var instance: String?

    /// Makes a query.
    public init(tail: Int? = nil, since: Duration? = nil, follows: Bool = false, instance: String? = nil) {
        self.tail = tail
        self.since = since
        self.follows = follows
        self.instance = instance
    }
}

/// Reads the logs of all pods of a function, also of those that come while it reads.
public struct FunctionLogSource: Sendable {
    let api: any KubernetesAPI
    /// Each log that is followed holds a connection to the API server.
    private let places = Budget(500)

    /// Reads through `api`, which needs the right to list pods and to read their logs.
    public init(api: any KubernetesAPI) { self.api = api }

    /// How often to look for new pods.
    private static let lookInterval = Duration.seconds(2)
    /// More pods of one function are not read at once.
    private static let podsMaximum = 100
    /// So much of a pod's past is read at most.
    private static let bytesMaximum = 8 << 20
    /// Without any wish the last minutes are shown, as by the OpenFaaS gateway.
    private static let sinceDefault = Duration.seconds(300)
    /// The name of the container that the operator gives every function.
    private static let containerName = "function"

    /// Gets lines of one pod.
    public typealias Take = @Sendable (_ instance: String, _ lines: [LogLine]) async throws -> Void

    /// Reads what there is, and goes on as long as the task does when the query wants to follow.
    ///
    /// - Throws: `KubernetesError` when pods cannot be listed; what `take` throws; `CancellationError`.
    public func read(_ function: ObjectKey, _ query: FunctionLogQuery, take: @escaping Take) async throws {
        var options = LogOptions(container: Self.containerName, follows: query.follows, showsTimestamps: true)
        options.tailLines = query.tail
        options.since = query.since ?? (query.tail == nil ? Self.sinceDefault : nil)
        if !query.follows { options.bytesMaximum = Self.bytesMaximum }
        guard query.follows else {
            for pod in try await pods(function) where Self.hasStarted(pod) && Self.isWanted(pod, query) {
                _ = try await read(pod.key, options, after: nil, take)
            }
            return
        }
        try await follow(function, query, options, take)
    }

    private static func isWanted(_ pod: Pod, _ query: FunctionLogQuery) -> Bool {
        query.instance.map { $0 == pod.metadata.name } ?? true
    }

    /// The pods of a function, by their names.
    ///
    /// - Throws: `KubernetesError` when they cannot be listed.
    public func pods(_ function: ObjectKey) async throws -> [Pod] {
        let selector = LabelSelector(matchLabels: [
            FareboxLabel.name: function.name, FareboxLabel.component: FareboxLabel.functionComponent,
        ])
        let list = try await api.list(
            Pod.self, namespace: function.namespace,
            options: ListOptions(labelSelector: selector.queryValue, limit: Self.podsMaximum))
        return list.items.sorted { $0.metadata.name < $1.metadata.name }
    }

    /// What happened while following.
    private enum Event: Sendable {
        /// It is time to look for pods.
        case look
        /// The log of one run of a container came to its end, or its stream broke.
        case ended(run: String, last: Timestamp?)
    }

    private func follow(
        _ function: ObjectKey, _ query: FunctionLogQuery, _ options: LogOptions, _ take: @escaping Take
    ) async throws {
        try await withThrowingTaskGroup(of: Event.self) { group in
            var running: Set<String> = []
            /// Until when each run was read.
            var read: [String: Timestamp?] = [:]
            var isFirst = true
            group.addTask { .look }
            while let event = try await group.next() {
                guard case .look = event else {
                    if case .ended(let run, let last) = event {
                        running.remove(run)
                        read[run] = .some(last)
                    }
                    continue
                }
                // What is read goes on while the API server is away, and the next look finds what came meanwhile.
                let present = (try? await pods(function))?.filter(Self.hasStarted) ?? []
                let runs = Set(present.map(Self.run))
                if !runs.isEmpty { read = read.filter { runs.contains($0.key) } }
                let unread = present.filter { pod in
                    let run = Self.run(pod)
                    return !running.contains(run) && Self.isWanted(pod, query)
                        && (read[run] == nil || Self.isRunning(pod))
                }
                for pod in unread {
                    // Where all are taken, the next look finds the pod again.
                    let place = Budget.Share(of: places)
                    guard place.take() else { break }
                    let (key, run) = (pod.key, Self.run(pod))
                    var mine = options
                    var after: Timestamp?
                    if let last = read[run] {
                        after = last
                        mine.tailLines = nil
                        mine.since = last.map { max(.seconds(1), Timestamp.now - $0 + .seconds(1)) }
                    } else if !isFirst {
                        // It began while we looked on: all of it is new.
                        mine.tailLines = nil
                        mine.since = nil
                    }
                    running.insert(run)
                    let (wanted, from) = (mine, after)
                    group.addTask {
                        defer { place.giveBack() }
                        return .ended(run: run, last: try await self.read(key, wanted, after: from, take) ?? from)
                    }
                }
                isFirst = false
                group.addTask {
                    // New pods of one function, while somebody reads its log: a look is cheaper than a watch for each reader.
                    try await Task.sleep(for: Self.lookInterval)
                    return .look
                }
            }
        }
    }

    /// Reads one pod until its container or the connection ends; a pod that is gone has no log.
    ///
    /// - Parameter after: Only lines that are younger are handed on.
    /// - Returns: The time of the last line.
    private func read(
        _ pod: ObjectKey, _ options: LogOptions, after: Timestamp?, _ take: Take
    ) async throws -> Timestamp? {
        var last: Timestamp?
        do {
            let stream = try await api.logs(pod, options: options)
            defer { stream.cancel() }
            var lines = LogLines()
            while let piece = try await stream.next() {
                try await pass(lines.take(piece), pod, after: after, &last, take)
            }
            if let rest = lines.finish() { try await pass([rest], pod, after: after, &last, take) }
        } catch is KubernetesError {
            // The next look finds out whether there is more to read.
        }
        return last
    }

    private func pass(
        _ lines: [LogLine], _ pod: ObjectKey, after: Timestamp?, _ last: inout Timestamp?, _ take: Take
    ) async throws {
        let lines = lines.filter { !$0.isOfKubelet }
        guard let end = lines.last else { return }
        let fresh =
            after.map { after in lines.filter { Timestamp(rfc3339: $0.time).map { $0 > after } ?? true } } ?? lines
        if !fresh.isEmpty { try await take(pod.name, fresh) }
        last = Timestamp(rfc3339: end.time) ?? last
    }

    /// Tells one run of a pod's container from the next.
    private static func run(_ pod: Pod) -> String {
        "\(pod.metadata.uid) \(status(pod)?.restartCount ?? 0)"
    }

    private static func isRunning(_ pod: Pod) -> Bool { status(pod)?.state?.running != nil }

    private static func status(_ pod: Pod) -> ContainerStatus? {
        pod.status?.containerStatuses.first { $0.name == containerName }
    }

    private static func hasStarted(_ pod: Pod) -> Bool {
        isRunning(pod) || status(pod)?.state?.terminated != nil
    }
}
