import Builds
import KubernetesTypes
import Telemetry
import Timing

/// Knows which runtimes stacks may name now.
protocol RuntimeSupplying: Sendable {
    /// The runtimes of this moment.
    ///
    /// - Throws: `CancellationError`.
    func catalog() async throws -> RuntimeCatalog
}

/// Puts the catalog together: what the configuration names, and the ConfigMaps that are there.
///
/// A place that cannot be read leaves a gap in the catalog and is tried again, at the earliest after a while, when somebody asks.
/// ConfigMaps count as they are at that moment.
actor RuntimeCatalogSource: RuntimeSupplying {
    private struct Entry {
        let origin: RuntimeOrigin
        var runtimes: [Runtime] = []
        /// Why it could not be read the last time.
        var trouble: String?
        var failures = 0
        /// When to read it (again); nil for never.
        var dueAt: ContinuousClock.Instant?
    }

    private struct Parsed {
        let version: String
        let result: Result<Runtime, RuntimeError>
    }

    private var entries: [Entry]
    private var loading: Task<Void, Never>?
    private var parsed: [ObjectKey: Parsed] = [:]
    /// What was complained of already; it is told again when it changed.
    private var told: Set<String> = []
    private let configMaps: @Sendable () -> [ConfigMap]
    private let backoff: Backoff
    private let logger = Logger(label: "runtimes")

    /// Makes a source.
    ///
    /// - Parameters:
    ///   - origins: In the order of precedence: the last counts most.
    ///   - configMaps: Those of now with the label; they count more than the origins.
    init(
        origins: [RuntimeOrigin], configMaps: @escaping @Sendable () -> [ConfigMap] = { [] },
        backoff: Backoff = Backoff(base: .seconds(10), ceiling: .seconds(300), jitter: 0.1)
    ) {
        entries = origins.map { Entry(origin: $0, dueAt: .now) }
        self.configMaps = configMaps
        self.backoff = backoff
    }

    func catalog() async throws -> RuntimeCatalog {
        await loadWhatIsDue()
        try Task.checkCancellation()
        let gaps = entries.compactMap { entry in
            entry.trouble.map { RuntimeCatalog.Gap(source: entry.origin.name, message: $0) }
        }
        let catalog = RuntimeCatalog(entries.map(\.runtimes) + [runtimesOfConfigMaps()], gaps: gaps)
        for clash in catalog.clashes { tell("Two runtimes have the same name", clash) }
        return catalog
    }

    // MARK: - Origins

    /// Reads what is due; all who ask meanwhile wait for the same reading.
    private func loadWhatIsDue() async {
        if let loading { return await loading.value }
        let now = ContinuousClock.now
        let due = entries.indices.filter { index in entries[index].dueAt.map { $0 <= now } ?? false }
        guard !due.isEmpty else { return }
        let task = Task { await load(due) }
        loading = task
        await task.value
        loading = nil
    }

    /// Reads one after the other; there are few, and each has its own deadline.
    private func load(_ due: [Int]) async {
        for index in due {
            let origin = entries[index].origin
            do {
                keep(try await origin.read(), at: index)
            } catch {
                note(error, at: index)
            }
        }
    }

    private func keep(_ found: FoundRuntimes, at index: Int) {
        let origin = entries[index].origin
        entries[index].runtimes = found.runtimes
        entries[index].trouble = nil
        entries[index].failures = 0
        entries[index].dueAt = origin.lifetime.map { .now + $0 }
        for problem in found.problems { tell("A runtime cannot be used", "\(origin.name): \(problem)") }
    }

    /// What was read before still counts.
    private func note(_ error: any Error, at index: Int) {
        let trouble = (error as? BuildFailure)?.message ?? "\(error)"
        entries[index].trouble = trouble
        entries[index].failures += 1
        entries[index].dueAt = .now + backoff.delay(afterFailures: entries[index].failures)
        tell("A source of runtimes cannot be read", "\(entries[index].origin.name): \(trouble)")
    }

    // MARK: - ConfigMaps

    private func runtimesOfConfigMaps() -> [Runtime] {
        var fresh: [ObjectKey: Parsed] = [:]
        var runtimes: [Runtime] = []
        for map in configMaps().sorted(by: { $0.key.description < $1.key.description }) {
            let version = map.metadata.resourceVersion
            let entry: Parsed
            if let known = parsed[map.key], known.version == version {
                entry = known
            } else {
                entry = Parsed(
                    version: version,
                    result: Result { () throws(RuntimeError) in try RuntimeConfigMap.runtime(of: map) })
            }
            fresh[map.key] = entry
            switch entry.result {
            case .success(let runtime): runtimes.append(runtime)
            case .failure(let error): tell("A runtime cannot be used", "ConfigMap \(map.key): \(error)")
            }
        }
        parsed = fresh
        return runtimes
    }

    // MARK: - Telling

    private static let toldMaximum = 1000

    private func tell(_ message: StaticString, _ detail: String) {
        if told.count >= Self.toldMaximum { told.removeAll() }
        guard told.insert(detail).inserted else { return }
        logger.warning(message, ["detail": detail])
    }
}
