import KubernetesClient
import Synchronization

/// What the API server can do, asked once.
final class ServerFeatures: Sendable {
    private let portRanges = Mutex<Bool?>(nil)

    /// The release from which network policies know ranges of ports without a feature gate (`endPort`).
    private static let portRangesSince = 22

    /// Whether network policies know ranges of ports.
    ///
    /// Two passes may ask at the same time at first; both get the same answer.
    func supportsPortRanges(_ api: any KubernetesAPI) async throws -> Bool {
        if let known = portRanges.withLock({ $0 }) { return known }
        let version = try await api.serverVersion()
        // A server with an odd version number gets the policy that every server understands.
        let isKnown = (version.minorNumber ?? 0) >= Self.portRangesSince
        portRanges.withLock { $0 = isKnown }
        return isKnown
    }
}
