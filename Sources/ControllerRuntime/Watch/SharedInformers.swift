import CMalloc
public import KubernetesClient
public import KubernetesTypes
import Synchronization
import Timing

/// The informers of a process: one for each kind and scope, however many ask for it.
///
/// It owns the tasks of its informers: they run from ``start()`` to ``stop()``.
public final class SharedInformers: Sendable {
    private struct Identity: Hashable {
        let type: ObjectIdentifier
        let descriptor: ResourceDescriptor
        let scope: InformerScope
    }

    private struct Entry {
        let informer: any RunningInformer
        var task: Task<Void, Never>?
    }

    private enum Phase {
        case waiting
        case started
        case stopped
    }

    private struct Guarded {
        var entries: [Identity: Entry] = [:]
        var followers: [Entry] = []
        var phase = Phase.waiting

        var all: [Entry] { entries.values + followers }
    }

    private let api: any KubernetesAPI
    private let limits: ReflectorLimits
    private let guarded = Mutex(Guarded())

    /// Makes an empty set of informers.
    public convenience init(api: any KubernetesAPI) {
        self.init(api: api, limits: ReflectorLimits())
    }

    init(api: any KubernetesAPI, limits: ReflectorLimits) {
        self.api = api
        self.limits = limits
        _ = Self.mapsLists
    }

    /// Has the bytes of a list lie in a mapping of their own, which goes back to the system whole.
    ///
    /// By itself glibc takes ever larger pieces from the heap once one was given back, and small ones that stay keep it.
    private static let mapsLists = mallopt(M_MMAP_THRESHOLD, 256 << 10) == 1

    /// Returns the informer of a kind and scope, and makes it when nobody asked for it before.
    ///
    /// After ``start()`` a new one starts at once.
    ///
    /// - Parameters:
    ///   - descriptor: Another version or group of the same shape; by default the type's own.
    ///   - transform: Takes away what nobody reads. The first caller's is used.
    public func informer<Resource: KubernetesResource>(
        _ type: Resource.Type, scope: InformerScope = InformerScope(), at descriptor: ResourceDescriptor? = nil,
        transform: @escaping Informer<Resource>.Transform = { _ in }
    ) -> Informer<Resource> {
        let descriptor = descriptor ?? type.descriptor
        let identity = Identity(type: ObjectIdentifier(type), descriptor: descriptor, scope: scope)
        return guarded.withLock { guarded in
            if let informer = guarded.entries[identity]?.informer as? Informer<Resource> {
                return informer
            }
            let informer = Informer<Resource>(
                api: api, scope: scope, at: descriptor, transform: transform, limits: limits)
            let task = guarded.phase == .started ? Task { await informer.run() } : nil
            guarded.entries[identity] = Entry(informer: informer, task: task)
            return informer
        }
    }

    /// Follows a collection whose objects nobody looks up, from ``start()`` to ``stop()``.
    ///
    /// - Parameters:
    ///   - descriptor: Another version or group of the same shape; by default the type's own.
    ///   - leftOut: Members that the handler does not look at, each as the keys from an object down to it, through arrays on
    ///     the way: a list is read without them.
    ///   - handler: Is told of each change, in order; it must not block.
    public func follow<Resource: KubernetesResource>(
        _ type: Resource.Type, scope: InformerScope = InformerScope(), at descriptor: ResourceDescriptor? = nil,
        leavingOut leftOut: [[String]] = [], handler: @escaping Follower<Resource>.Handler
    ) {
        let follower = Follower<Resource>(
            api: api, scope: scope, at: descriptor, leavingOut: leftOut, limits: limits, handler: handler)
        guarded.withLock { guarded in
            let task = guarded.phase == .started ? Task { await follower.run() } : nil
            guarded.followers.append(Entry(informer: follower, task: task))
        }
    }

    /// Starts all informers, and from now on each new one.
    public func start() {
        guarded.withLock { guarded in
            guard guarded.phase == .waiting else {
                return
            }
            guarded.phase = .started
            for (identity, entry) in guarded.entries {
                let informer = entry.informer
                guarded.entries[identity]?.task = Task { await informer.run() }
            }
            for index in guarded.followers.indices {
                let follower = guarded.followers[index].informer
                guarded.followers[index].task = Task { await follower.run() }
            }
        }
    }

    /// Stops all informers and returns when they have; what they hold can still be read.
    public func stop() async {
        let tasks = guarded.withLock { guarded in
            guarded.phase = .stopped
            return guarded.all.compactMap(\.task)
        }
        tasks.forEach { $0.cancel() }
        for task in tasks {
            await task.value
        }
    }

    /// The resources that are not held completely yet, in words.
    public var unsynced: [String] {
        guarded.withLock { guarded in
            guarded.all.filter { !$0.informer.hasSynced }.map(\.informer.name).sorted()
        }
    }

    /// Waits until every informer that exists now holds its whole collection.
    ///
    /// What reading the lists took of memory, which is more than what is held, goes back to the system then.
    ///
    /// - Throws: ``InformersNotSynced`` after `limit`; `CancellationError`.
    public func waitForSync(within limit: Duration = .seconds(120)) async throws {
        let informers = guarded.withLock { $0.all.map(\.informer) }
        do {
            try await withDeadline(limit) {
                for informer in informers {
                    try await informer.waitForSync()
                }
            }
        } catch is DeadlineExceeded {
            throw InformersNotSynced(resources: unsynced, limit: limit)
        }
        _ = malloc_trim(0)
    }
}

/// Collections could not be read in time: a missing permission, a missing kind or an API server out of reach.
public struct InformersNotSynced: Error, Hashable, CustomStringConvertible {
    /// The resources in question.
    public let resources: [String]

    /// How long was waited.
    public let limit: Duration

    /// One line for a person.
    public var description: String {
        "not listed within \(limit.goStyle): \(resources.joined(separator: ", ")); "
            + "check that they exist and that this process may list and watch them"
    }
}

/// An informer or a follower of whatever kind.
protocol RunningInformer: Sendable {
    var descriptor: ResourceDescriptor { get }
    var scope: InformerScope { get }
    var hasSynced: Bool { get }
    func run() async
    func waitForSync() async throws
}

extension Informer: RunningInformer {}

extension Follower: RunningInformer {}

extension RunningInformer {
    /// The resource and where it is watched, such as `pods.v1 in farebox-functions`.
    var name: String {
        var name = "\(descriptor)"
        if let namespace = scope.namespace {
            name += " in \(namespace)"
        }
        if let selector = scope.labelSelector ?? scope.fieldSelector {
            name += " with \(selector)"
        }
        return name
    }
}
