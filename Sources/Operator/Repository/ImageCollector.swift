import Builds
import CRDs
import KubernetesTypes
import Synchronization
import Telemetry
import Timing

/// Removes images from the registry, beside the reconcile loop.
///
/// A registry that cannot be reached is asked again later; one that refuses is not, and the image stays there: an
/// administrator may have forbidden deletion for good reasons.
final class ImageCollector: Sendable {
    private enum Outcome: Sendable {
        case removing
        case settled
        case failed(retryAt: ContinuousClock.Instant)
    }

    private struct State {
        var outcomes: [String: Outcome] = [:]
        var notify: @Sendable (ObjectKey) -> Void = { _ in }
    }

    /// More outcomes than this are forgotten at once: an image is then asked for a second time, which does no harm.
    private static let remembered = 10_000

    private let registry: RegistryClient
    private let logins: RegistryLogins
    private let naming: ImageNaming
    private let patience: Duration
    private let lane = TaskLane<String>(concurrency: 2)
    private let state = Mutex(State())
    private let logger = Logger(label: "images")

    init(registry: RegistryClient, logins: RegistryLogins, naming: ImageNaming, patience: Duration = .seconds(600)) {
        self.registry = registry
        self.logins = logins
        self.naming = naming
        self.patience = patience
    }

    /// Tells whom to call when an image is gone.
    func notify(_ body: @escaping @Sendable (ObjectKey) -> Void) { state.withLock { $0.notify = body } }

    /// Works until the calling task is cancelled.
    func run() async { await lane.run() }

    /// Which of `images` need no thought any more, since they are gone or cannot be removed; begins to remove the others.
    func collect(_ images: [String], of repository: ObjectKey) -> Set<String> {
        let now = ContinuousClock.now
        return state.withLock { state in
            if state.outcomes.count > Self.remembered { state.outcomes = [:] }
            var settled: Set<String> = []
            for image in images {
                switch state.outcomes[image] {
                case .settled:
                    settled.insert(image)
                    state.outcomes[image] = nil
                    continue
                case .removing: continue
                case .failed(let retryAt) where retryAt > now: continue
                case .failed, nil: break
                }
                state.outcomes[image] = .removing
                lane.submit(image) { [self] in await remove(image, of: repository) }
            }
            return settled
        }
    }

    private func remove(_ image: String, of repository: ObjectKey) async {
        let outcome: Outcome
        do {
            let reference = try ImageReference(parsing: naming.pushName(ofPulled: image))
            try await registry.remove(reference, credentials: try await logins.read().credentials)
            logger.info("An image is removed", ["image": image, "repository": "\(repository)"])
            outcome = .settled
        } catch RegistryError.unreachable(_, let why) {
            logger.info("An image is not removed yet", ["image": image, "error": why])
            outcome = .failed(retryAt: .now + patience)
        } catch let error as RegistryError {
            logger.warning("An image stays in the registry", ["image": image, "error": "\(error)"])
            outcome = .settled
        } catch is CancellationError {
            state.withLock { $0.outcomes[image] = nil }
            return
        } catch {
            logger.warning("An image is not removed yet", ["image": image, "error": "\(error)"])
            outcome = .failed(retryAt: .now + patience)
        }
        let notify = state.withLock { state in
            state.outcomes[image] = outcome
            return state.notify
        }
        notify(repository)
    }
}
