import CRDs
import ControllerRuntime
import JSON
import KubernetesClient
import KubernetesTypes

/// Why nothing is built for a Repository, and how far that goes.
enum Suspension: Equatable, Sendable {
    /// `spec.suspend`: nothing is built; what runs keeps running.
    case ofBuilds
    /// The Git host took the permission away: nothing is built, and no call is let through.
    case byHost(String)

    init?(_ repository: Repository) {
        if let reason = repository.metadata.annotations[FareboxAnnotation.suspended] {
            self = .byHost(reason.isEmpty ? "the Git host suspended it" : String(reason.prefix(256)))
        } else if repository.spec.suspend == true {
            self = .ofBuilds
        } else {
            return nil
        }
    }

    var stopsCalls: Bool { self != .ofBuilds }

    /// For the condition.
    var message: String {
        switch self {
        case .ofBuilds: "spec.suspend is set: nothing is built or deployed; what runs keeps running"
        case .byHost(let reason):
            "\(reason): nothing is built, and calls are refused; without the annotation \(FareboxAnnotation.suspended) all of "
                + "it goes on"
        }
    }
}

/// Switches the functions of a Repository off and on again.
///
/// A function that somebody else switched off stays off: only what bears our annotation is switched on.
struct FunctionSwitch: Sendable {
    let api: any KubernetesAPI

    /// Brings `functions` in line with `suspension`; returns whether anything was written.
    func bring(_ functions: [Function], to suspension: Suspension?) async throws {
        let stops = suspension?.stopsCalls == true
        for function in functions where Self.isOff(function) != stops {
            let value: JSONValue = stops ? true : .null
            let mark: JSONValue = stops ? .string("repository") : .null
            let patch: JSONValue = [
                "metadata": [
                    "uid": .string(function.metadata.uid), "annotations": [FareboxAnnotation.suspended: mark],
                ],
                "spec": ["suspend": value],
            ]
            do {
                _ = try await api.patch(Function.self, function.key, .merge(patch))
            } catch let error as KubernetesError where error.isNotFound || error.isConflict {
                // It is gone, or another one has its name: the informer will tell.
            }
        }
    }

    private static func isOff(_ function: Function) -> Bool {
        function.metadata.annotations[FareboxAnnotation.suspended] != nil
    }
}
