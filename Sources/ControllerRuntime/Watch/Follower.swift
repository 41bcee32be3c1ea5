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

    /// Which objects it follows.
    let scope: InformerScope

    /// The resource that is asked for.
    let descriptor: ResourceDescriptor

    private let api: any KubernetesAPI
    private let leftOut: [[String]]
    private let limits: ReflectorLimits
    private let handler: Handler
    private let known = Mutex(FollowedObjects())
    private let synced = Gate()
    private let log: WatchLog

    /// Makes a follower; it does nothing before ``run()``.
    init(
        api: any KubernetesAPI, scope: InformerScope, at descriptor: ResourceDescriptor? = nil,
        leavingOut leftOut: [[String]] = [], limits: ReflectorLimits = ReflectorLimits(), handler: @escaping Handler
    ) {
        self.api = api
        self.scope = scope
        self.descriptor = descriptor ?? Resource.descriptor
        self.leftOut = leftOut
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
        reflector.leftOut = leftOut
        await reflector.run { take($0) }
    }

    private func take(_ output: Reflector<Resource>.Output) {
        switch output {
        case .listBegan: known.withLock { $0.beginList() }
        case .listed(let object): store(object)
        case .listedUnreadable(let key, let error):
            known.withLock { $0.keep(key) }
            log.unreadable(key, reason: error.reason)
        case .listComplete:
            let (count, gone) = known.withLock { $0.endList() }
            gone.forEach(remove)
            log.listed(count, isInitial: !hasSynced)
            synced.open()
        case .stored(let object): store(object)
        case .removed(let key, _): remove(key)
        case .unreadable(let key, let error): log.unreadable(key, reason: error.reason)
        case .skipped(let reason): log.skipped(reason)
        case .failed(let error, let activity): log.failed(error, during: activity.rawValue)
        }
    }

    private func store(_ object: Resource) {
        var object = object
        let isAnother = known.withLock { $0.store(&object.metadata) }
        if isAnother {
            handler(.removed(object.key))
        }
        handler(.stored(object))
    }

    private func remove(_ key: ObjectKey) {
        guard known.withLock({ $0.remove(key) }) else { return }
        handler(.removed(key))
    }
}
