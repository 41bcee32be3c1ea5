import HTTP
import KubernetesClient
import KubernetesTypes

/// Follows one collection: carries out what `ReflectorMachine` decides and hands what it learns to a sink.
struct Reflector<Resource: KubernetesResource> {
    typealias Unreadable = Tolerant<Resource>.Unreadable

    /// What the reflector tells.
    enum Output {
        /// A list begins: what an earlier one brought that was not complete is void.
        case listBegan
        /// An object of the list.
        case listed(Resource)
        /// An object of the list that cannot be read.
        case listedUnreadable(ObjectKey, Unreadable)
        /// The list is complete: what was not on it is not there.
        case listComplete
        case stored(Resource)
        case removed(ObjectKey, last: Resource?)
        /// An object was written that cannot be read.
        case unreadable(ObjectKey, Unreadable)
        /// Something arrived that is not for us.
        case skipped(reason: String)
        /// A request failed, or the watch did.
        case failed(any Error, during: Activity)
    }

    /// What the reflector was doing.
    enum Activity: String {
        case list
        case watch
    }

    let api: any KubernetesAPI
    let scope: InformerScope
    let descriptor: ResourceDescriptor
    /// Members that lists leave out.
    var leftOut: [[String]] = []
    private var machine: ReflectorMachine

    init(
        api: any KubernetesAPI, scope: InformerScope, descriptor: ResourceDescriptor,
        limits: ReflectorLimits = ReflectorLimits(), seed: UInt64 = .random(in: .min ... .max)
    ) {
        self.api = api
        self.scope = scope
        self.descriptor = descriptor
        self.machine = ReflectorMachine(limits: limits, seed: seed)
    }

    /// Lists and watches until the task is cancelled.
    mutating func run(_ sink: (Output) -> Void) async {
        var action = machine.handle(.started, now: .now)
        while !Task.isCancelled {
            switch action {
            case .list(let request):
                action = await list(request, sink)
            case .commit(let request):
                sink(.listComplete)
                action = .watch(request)
            case .watch(let request):
                action = await watch(request, sink)
            case .pause(let delay):
                try? await ContinuousClock().sleep(for: delay)
                action = machine.handle(.resumed, now: .now)
            case .proceed:
                // Not reached: each event above leads to something to do. If it were, a list puts everything right.
                action = machine.handle(.started, now: .now)
            }
        }
    }

    // MARK: - List

    private mutating func list(
        _ request: ReflectorMachine.ListRequest, _ sink: (Output) -> Void
    ) async -> ReflectorMachine.Action {
        if request.continuation == nil {
            sink(.listBegan)
        }
        let options = ListOptions(
            labelSelector: scope.labelSelector, fieldSelector: scope.fieldSelector,
            resourceVersion: request.resourceVersion, limit: request.limit, continueToken: request.continuation)
        do {
            let page = try await api.list(
                Tolerant<Resource>.self, namespace: scope.namespace, options: options, at: descriptor,
                leavingOut: leftOut
            ) { item in
                switch item.object {
                case .success(let object): sink(.listed(object))
                case .failure(let error): sink(.listedUnreadable(item.key, error))
                }
            }
            return machine.handle(
                .page(version: page.resourceVersion, continuation: page.continue.isEmpty ? nil : page.continue),
                now: .now)
        } catch {
            if !Task.isCancelled {
                sink(.failed(error, during: .list))
            }
            return machine.handle(.listFailed(ReflectorMachine.Failure(error)), now: .now)
        }
    }

    // MARK: - Watch

    private mutating func watch(
        _ request: ReflectorMachine.WatchRequest, _ sink: (Output) -> Void
    ) async -> ReflectorMachine.Action {
        let options = WatchOptions(
            resourceVersion: request.resourceVersion, labelSelector: scope.labelSelector,
            fieldSelector: scope.fieldSelector, timeout: request.timeout, silenceMaximum: machine.limits.silence)
        machine.watchStarted(now: .now)
        let stream: WatchStream
        do {
            stream = try await api.watch(
                Tolerant<Resource>.self, namespace: scope.namespace, options: options, at: descriptor)
        } catch {
            if !Task.isCancelled {
                sink(.failed(error, during: .watch))
            }
            return machine.handle(.watchFailed(ReflectorMachine.Failure(error)), now: .now)
        }
        defer { stream.cancel() }
        _ = machine.handle(.watchOpened, now: .now)
        do {
            while let batch = try await stream.next() {
                for event in batch {
                    if let action = take(event, sink) {
                        return action
                    }
                }
            }
            return machine.handle(.watchEnded, now: .now)
        } catch {
            if case .some(.decoding) = error as? KubernetesError {
                sink(.failed(error, during: .watch))
                return machine.handle(.watchFailed(.refused), now: .now)
            }
            if case .some(.transport(.timedOut, _)) = error as? KubernetesError {
                return machine.handle(.watchSilent, now: .now)
            }
            return machine.handle(.watchEnded, now: .now)
        }
    }

    /// Takes one event; returns what to do if it ends the watch.
    private mutating func take(_ event: RawWatchEvent, _ sink: (Output) -> Void) -> ReflectorMachine.Action? {
        let now = ContinuousClock.now
        let decoded: WatchEvent<Tolerant<Resource>>
        do {
            decoded = try event.decode(Tolerant<Resource>.self, at: descriptor)
        } catch {
            machine.observeUnknown(now: now)
            sink(.skipped(reason: "\(error)"))
            return nil
        }
        switch decoded {
        case .added(let item): return take(item, as: .added, now: now, sink)
        case .modified(let item): return take(item, as: .modified, now: now, sink)
        case .deleted(let item): return take(item, as: .deleted, now: now, sink)
        case .bookmark(let version, _):
            _ = machine.observe(.bookmark, version: version, now: now)
            return nil
        case .error(let status):
            let error = KubernetesError.api(status)
            sink(.failed(error, during: .watch))
            guard case .stop(let action) = machine.observeError(ReflectorMachine.Failure(error), now: now) else {
                return nil
            }
            return action
        case .unknown(let reason):
            machine.observeUnknown(now: now)
            sink(.skipped(reason: reason))
            return nil
        }
    }

    private mutating func take(
        _ item: Tolerant<Resource>, as kind: ReflectorMachine.EventKind, now: ContinuousClock.Instant,
        _ sink: (Output) -> Void
    ) -> ReflectorMachine.Action? {
        let disposition = machine.observe(kind, version: item.metadata.resourceVersion, now: now)
        switch disposition {
        case .store:
            switch item.object {
            case .success(let object): sink(.stored(object))
            case .failure(let error): sink(.unreadable(item.key, error))
            }
        case .remove: sink(.removed(item.key, last: try? item.object.get()))
        case .ignore: break
        case .stop(let action): return action
        }
        return nil
    }
}

extension ReflectorMachine.Failure {
    /// Sorts an error of a list or a watch.
    init(_ error: any Error) {
        guard let error = error as? KubernetesError else {
            self = .transport
            return
        }
        switch error {
        case .api(let status):
            if error.isExpired {
                self = .expired
            } else if error.isVersionTooLarge {
                self = .versionTooLarge
            } else if error.isTooManyRequests || (status.code >= 500 && error.retryAfter != nil) {
                self = .tooManyRequests(retryAfter: error.retryAfter)
            } else if error.isForbidden {
                self = .forbidden
            } else {
                self = status.code >= 500 ? .server : .refused
            }
        case .transport: self = .transport
        case .decoding, .invalidRequest, .configuration: self = .refused
        }
    }
}
