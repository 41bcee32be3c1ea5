import KubernetesClient
public import KubernetesTypes
import Synchronization

/// Tells of each change of one collection, and holds none of its objects.
///
/// For a process that makes something small of many large objects: what it holds of each is its name and 8 bytes. Where
/// objects have to be looked up, or several parts of a process look at the same ones, an ``Informer`` is right.
///
/// An object that cannot be read as a `Resource` is left as it was last told, and logged.
public final class Follower<Resource: KubernetesResource>: Sendable {
    /// A change of the collection.
    public enum Change: Sendable {
        /// An object is there, new or changed, or listed once more as it was.
        ///
        /// Objects of one namespace share the text of its name.
        case stored(Resource)
        /// An object is gone; one that was made anew under its name is told after this.
        case removed(ObjectKey)
    }

    /// Is told of each change, in order, by one caller at a time; it must not block.
    public typealias Handler = @Sendable (Change) -> Void

    private struct Known {
        /// The hash of each object's uid: another one means another object under the name.
        var objects: [ObjectKey: Int] = [:]
        var namespaces: Set<String> = []
    }

    /// Which objects it follows.
    let scope: InformerScope

    /// The resource that is asked for.
    let descriptor: ResourceDescriptor

    private let api: any KubernetesAPI
    private let limits: ReflectorLimits
    private let handler: Handler
    private let known = Mutex(Known())
    private let synced = Gate()
    private let log: WatchLog

    /// Makes a follower; it does nothing before ``run()``.
    init(
        api: any KubernetesAPI, scope: InformerScope, at descriptor: ResourceDescriptor? = nil,
        limits: ReflectorLimits = ReflectorLimits(), handler: @escaping Handler
    ) {
        self.api = api
        self.scope = scope
        self.descriptor = descriptor ?? Resource.descriptor
        self.limits = limits
        self.handler = handler
        log = WatchLog(self.descriptor, scope: scope)
    }

    /// Whether the first list is complete and was told.
    public var hasSynced: Bool { synced.isOpen }

    /// Waits for ``hasSynced``.
    ///
    /// - Throws: `CancellationError`.
    public func waitForSync() async throws {
        try await synced.wait()
    }

    /// Lists and watches until the calling task is cancelled; to be called once.
    func run() async {
        var reflector = Reflector<Resource>(api: api, scope: scope, descriptor: descriptor, limits: limits)
        await reflector.run { take($0) }
    }

    private func take(_ output: Reflector<Resource>.Output) {
        switch output {
        case .list(let objects, let unreadable):
            let gone = known.withLock { known in
                known.objects.keys.filter { objects[$0] == nil && unreadable[$0] == nil }
            }
            gone.forEach(remove)
            objects.values.forEach(store)
            log.listed(objects.count, isInitial: !hasSynced)
            synced.open()
            unreadable.forEach { log.unreadable($0, reason: $1.reason) }
        case .stored(let object): store(object)
        case .removed(let key, _): remove(key)
        case .unreadable(let key, let error): log.unreadable(key, reason: error.reason)
        case .skipped(let reason): log.skipped(reason)
        case .failed(let error, let activity): log.failed(error, during: activity.rawValue)
        }
    }

    private func store(_ object: Resource) {
        var object = object
        let uid = object.metadata.uid.hashValue
        let isAnother = known.withLock { known in
            object.metadata.namespace = known.namespaces.insert(object.metadata.namespace).memberAfterInsert
            let former = known.objects.updateValue(uid, forKey: object.key)
            return former.map { $0 != uid } ?? false
        }
        if isAnother {
            handler(.removed(object.key))
        }
        handler(.stored(object))
    }

    private func remove(_ key: ObjectKey) {
        guard known.withLock({ $0.objects.removeValue(forKey: key) }) != nil else { return }
        handler(.removed(key))
    }
}
