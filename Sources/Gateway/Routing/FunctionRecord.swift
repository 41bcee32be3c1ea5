import CRDs
import KubernetesTypes
import Timing

/// What the gateway keeps of one Function object.
struct FunctionRecord: Equatable, Sendable {
    let key: ObjectKey
    /// `nil` for a function that has no owner, and so no host.
    let ownerName: OwnedName?
    let timeout: Duration?
    let inFlightMaximum: Int?
    let admission: Route.Admission
    /// When the object was made; of two that claim one name, the older has it.
    let created: Time?

    /// An owner and what it calls the function.
    struct OwnedName: Hashable, Sendable {
        let owner: String
        let function: String
    }

    init(
        key: ObjectKey, ownerName: OwnedName?, timeout: Duration? = nil, inFlightMaximum: Int? = nil,
        admission: Route.Admission = .open, created: Time? = nil
    ) {
        self.key = key
        self.ownerName = ownerName
        self.timeout = timeout
        self.inFlightMaximum = inFlightMaximum
        self.admission = admission
        self.created = created
    }

    /// Reads a Function object.
    init(_ function: Function) {
        key = ObjectKey(namespace: function.metadata.namespace, name: function.metadata.name)
        ownerName = function.identity.map { OwnedName(owner: $0.owner.lowercased, function: $0.function) }
        timeout = function.spec.timeout.flatMap { Duration(goStyle: $0) }
        inFlightMaximum = function.spec.maxInflight.map { max(1, Int($0)) }
        created = function.metadata.creationTimestamp
        if function.spec.suspend == true {
            admission = .closed(status: 503, reason: "The function is suspended.")
        } else if function.spec.payment?.required == true {
            // Only an explicit yes lets a call pass, and nobody can say yes yet.
            admission = .closed(
                status: 402, reason: "The function demands payment for each call, which this gateway cannot take yet.")
        } else {
            admission = .open
        }
    }
}
