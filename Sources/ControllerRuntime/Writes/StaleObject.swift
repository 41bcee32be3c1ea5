import JSON
import KubernetesClient
import KubernetesTypes

/// An object changed between being read and being written; reading it again and trying anew helps.
public struct StaleObject: Error, Hashable, CustomStringConvertible {
    /// The kind and key.
    public let object: String

    /// One line for a person.
    public var description: String { "\(object) changed in the meantime" }
}

extension Patch.Operation {
    /// Fails the patch unless the object is still the very one that was read.
    static func identity<Resource: KubernetesResource>(of object: Resource) -> Patch.Operation {
        .test(path: "/metadata/uid", value: .string(object.metadata.uid))
    }

    /// Fails the patch when anything was written to the object since it was read.
    static func version<Resource: KubernetesResource>(of object: Resource) -> Patch.Operation {
        .test(path: "/metadata/resourceVersion", value: .string(object.metadata.resourceVersion))
    }
}

extension KubernetesError {
    /// A JSON Patch did not apply: a `test` failed, or a path is not there.
    ///
    /// The server answers 422 and names no field; an object that breaks its kind's rules gets 422 with the fields.
    var isFailedTest: Bool {
        guard let status, isInvalid || status.code == 422 else {
            return false
        }
        return status.details?.causes.isEmpty ?? true
    }
}
