import CRDs
import JSON
import KubernetesClient
import KubernetesTypes

/// Who starts functions that sleep.
protocol FunctionWaker: Sendable {
    /// Asks for one replica of a function that is to have none.
    ///
    /// - Parameters:
    ///   - key: The function.
    ///   - version: The version of its object as last seen; empty when not known.
    /// - Throws: What keeps it from being started, for now or for good; not when it has replicas already.
    func wake(_ key: ObjectKey, version: String) async throws
}

/// Starts functions by the `scale` subresource of their objects: the one thing that a gateway may write.
struct ScaleCall: FunctionWaker {
    /// Tries when somebody else changes the object meanwhile.
    static let triesMaximum = 4

    let api: any KubernetesAPI

    /// Changes the number from none to one, and only from none: somebody else may have asked for more.
    func wake(_ key: ObjectKey, version: String) async throws {
        var version = version
        for attempt in 1...Self.triesMaximum {
            do {
                guard !version.isEmpty else { throw Outdated() }
                _ = try await api.patch(
                    Function.descriptor, key,
                    .merge(["metadata": ["resourceVersion": .string(version)], "spec": ["replicas": 1]]),
                    subresource: "scale")
                return
            } catch let error where Self.isOutdated(error) && attempt < Self.triesMaximum {
                let function = try await api.get(Function.self, key)
                guard function.desiredReplicas == 0 else { return }
                version = function.metadata.resourceVersion
            }
        }
    }

    private struct Outdated: Error {}

    private static func isOutdated(_ error: any Error) -> Bool {
        error is Outdated || (error as? KubernetesError)?.isConflict == true
    }
}
