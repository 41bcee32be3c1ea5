public import KubernetesClient
public import KubernetesTypes
import Synchronization

/// Keeps the objects of one collection in memory, up to date by a watch.
///
/// Readers get values: nothing a reader does to an object changes what the informer holds, and an object that is held
/// does not change under its reader. What is read may be a moment behind the server. Until the first list is complete
/// nothing is there (``hasSynced``); after that the set is always a complete one, also while it is listed again.
///
/// An object that cannot be read as a `Resource` is left as it was last seen, and logged.
public final class Informer<Resource: KubernetesResource>: Sendable {
    /// Is told of each change, in order, by one caller at a time.
    ///
    /// It must not block.
    public typealias Handler = @Sendable (InformerEvent<Resource>) -> Void

    /// Takes away what nobody reads before an object is held.
    public typealias Transform = @Sendable (inout Resource) -> Void

    /// A handler; while it is shown what is there already, newer changes wait.
    private struct Registration {
        let handler: Handler
        var pending: [InformerEvent<Resource>]?
    }

    private struct Guarded {
        var store = ObjectStore<Resource>()
        var registrations: [Registration] = []
    }

    /// Which objects it holds.
    public let scope: InformerScope

    /// The resource that is asked for.
    public let descriptor: ResourceDescriptor

    private let api: any KubernetesAPI
    private let transform: Transform
    private let limits: ReflectorLimits
    private let guarded = Mutex(Guarded())
    private let synced = Gate()
    private let log: WatchLog

    /// Makes an informer; it does nothing before ``run()``.
    ///
    /// - Parameters:
    ///   - scope: Which objects to hold.
    ///   - descriptor: Another version or group of the same shape; by default the type's own.
    ///   - transform: Takes away what nobody reads.
    public convenience init(
        _ type: Resource.Type = Resource.self, api: any KubernetesAPI, scope: InformerScope = InformerScope(),
        at descriptor: ResourceDescriptor? = nil, transform: @escaping Transform = { _ in }
    ) {
        self.init(api: api, scope: scope, at: descriptor, transform: transform, limits: ReflectorLimits())
    }

    init(
        api: any KubernetesAPI, scope: InformerScope, at descriptor: ResourceDescriptor? = nil,
        transform: @escaping Transform = { _ in }, limits: ReflectorLimits
    ) {
        self.api = api
        self.scope = scope
        self.descriptor = descriptor ?? Resource.descriptor
        self.transform = transform
        self.limits = limits
        log = WatchLog(self.descriptor, scope: scope)
    }

    // MARK: - Reading

    /// Whether the first list is complete and every handler was shown it.
    public var hasSynced: Bool { synced.isOpen }

    /// Waits for ``hasSynced``.
    ///
    /// - Throws: `CancellationError`.
    public func waitForSync() async throws {
        try await synced.wait()
    }

    /// The object of this key, if it exists as far as is known.
    public func get(_ key: ObjectKey) -> Resource? {
        guarded.withLock { $0.store.objects[key] }
    }

    /// The objects of a namespace, or all of them, in no order; takes time by the number of objects held.
    public func list(namespace: String? = nil) -> [Resource] {
        guarded.withLock { guarded in
            guard let namespace else {
                return Array(guarded.store.objects.values)
            }
            return guarded.store.objects.filter { $0.key.namespace == namespace }.map(\.value)
        }
    }

    /// How many objects are held.
    public var count: Int { guarded.withLock { $0.store.objects.count } }

    /// Adds an index: `values` names what an object is filed under.
    ///
    /// It may be added at any time; one of the same name is replaced.
    public func addIndex(_ name: String, values: @escaping @Sendable (Resource) -> [String]) {
        guarded.withLock { $0.store.addIndex(name, values: values) }
    }

    /// The objects that an index files under a value, in no order; takes time by the number of hits.
    ///
    /// The index must have been added before.
    public func objects(index name: String, value: String) -> [Resource] {
        let objects = guarded.withLock { $0.store.objects(index: name, value: value) }
        precondition(objects != nil, "the informer has no index '\(name)'")
        return objects ?? []
    }

    // MARK: - Handlers

    /// Adds a handler, and shows it what is there already before returning.
    ///
    /// It is told of each later change on the informer's task, in order.
    public func addHandler(_ handler: @escaping Handler) {
        let (index, present) = guarded.withLock { guarded in
            guarded.registrations.append(Registration(handler: handler, pending: []))
            return (guarded.registrations.count - 1, Array(guarded.store.objects.values))
        }
        for object in present {
            handler(.added(object, isInitial: true))
        }
        while true {
            let missed = guarded.withLock { guarded -> [InformerEvent<Resource>] in
                let pending = guarded.registrations[index].pending ?? []
                guarded.registrations[index].pending = pending.isEmpty ? nil : []
                return pending
            }
            guard !missed.isEmpty else {
                return
            }
            missed.forEach(handler)
        }
    }

    // MARK: - Following

    /// Lists and watches until the calling task is cancelled; to be called once.
    public func run() async {
        var reflector = Reflector<Resource>(api: api, scope: scope, descriptor: descriptor, limits: limits)
        var gathered = Gathered()
        await reflector.run { take($0, &gathered) }
    }

    /// What a list has brought until now.
    private struct Gathered {
        var objects: [ObjectKey: Resource] = [:]
        var unreadable: [ObjectKey: Reflector<Resource>.Unreadable] = [:]
    }

    private func take(_ output: Reflector<Resource>.Output, _ gathered: inout Gathered) {
        switch output {
        case .listBegan: gathered = Gathered()
        case .listed(let object): gathered.objects[object.key] = transformed(object)
        case .listedUnreadable(let key, let error): gathered.unreadable[key] = error
        case .listComplete:
            let list = gathered
            gathered = Gathered()
            let isInitial = !hasSynced
            change { store in
                store.replaceAll(with: list.objects, keeping: Set(list.unreadable.keys), isInitial: isInitial)
            }
            synced.open()
            log.listed(list.objects.count, isInitial: isInitial)
            list.unreadable.forEach { log.unreadable($0, reason: $1.reason) }
        case .stored(let object):
            let object = transformed(object)
            change { $0.store(object, key: object.key) }
        case .removed(let key, let last):
            let last = last.map(transformed)
            change { $0.remove(key, last: last) }
        case .unreadable(let key, let error):
            log.unreadable(key, reason: error.reason)
        case .skipped(let reason):
            log.skipped(reason)
        case .failed(let error, let activity):
            log.failed(error, during: activity.rawValue)
        }
    }

    private func transformed(_ object: Resource) -> Resource {
        var object = object
        object.metadata.annotations[Self.lastApplied] = nil
        transform(&object)
        return object
    }

    /// A copy of the whole object that kubectl keeps in it.
    private static var lastApplied: String { "kubectl.kubernetes.io/last-applied-configuration" }

    /// Changes the store and tells the handlers, without holding the lock while they run.
    private func change(_ body: (inout ObjectStore<Resource>) -> [InformerEvent<Resource>]) {
        let (changes, handlers) = guarded.withLock { guarded in
            let changes = body(&guarded.store)
            var handlers: [Handler] = []
            for index in guarded.registrations.indices {
                if guarded.registrations[index].pending == nil {
                    handlers.append(guarded.registrations[index].handler)
                } else {
                    guarded.registrations[index].pending?.append(contentsOf: changes)
                }
            }
            return (changes, handlers)
        }
        for handler in handlers {
            changes.forEach(handler)
        }
    }
}
