import KubernetesClient
import KubernetesTypes
import Telemetry

/// Tells a person what went wrong while a collection was followed.
struct WatchLog: Sendable {
    private let logger: Logger

    init(_ descriptor: ResourceDescriptor, scope: InformerScope) {
        logger = Logger(label: "informer").with(["resource": "\(descriptor)", "namespace": scope.namespace ?? ""])
    }

    /// A list is complete.
    func listed(_ count: Int, isInitial: Bool) {
        logger.debug("listed", ["objects": count, "initial": isInitial])
    }

    /// An object cannot be read as what it should be.
    func unreadable(_ key: ObjectKey, reason: String) {
        logger.error("object cannot be read, keeping what was known of it", ["key": key, "error": reason])
    }

    /// Something arrived that is not for us.
    func skipped(_ reason: String) {
        logger.warning("watch event skipped", ["reason": reason])
    }

    /// A request failed, or the watch did.
    func failed(_ error: any Error, during activity: String) {
        guard let error = error as? KubernetesError else {
            logger.warning("request failed, trying again", ["verb": activity, "error": "\(error)"])
            return
        }
        if error.isForbidden {
            // Somebody has to act; the permission may also come later, so we go on.
            logger.error("permission missing, trying again", ["verb": activity, "error": "\(error)"])
        } else if error.isExpired {
            logger.debug("version expired, listing", ["verb": activity])
        } else {
            logger.warning("request failed, trying again", ["verb": activity, "error": "\(error)"])
        }
    }
}
