import CRDs
import ControllerRuntime
import KubernetesClient
import KubernetesTypes

/// Feeds the routes from a cluster's Functions and EndpointSlices.
struct ClusterRoutes: Sendable {
    let source: RouteSource
    /// The gateway's own zone, where it is known.
    var zone: String?

    /// Subscribes to both collections; the caller starts the informers.
    ///
    /// - Throws: `KubernetesError` when the server cannot be asked which version of EndpointSlice it has.
    func watch(api: any KubernetesAPI, informers: SharedInformers) async throws {
        let slices =
            try await api.firstOffered([EndpointSlice.descriptor, EndpointSliceV1Beta1.descriptor])
            ?? EndpointSlice.descriptor
        let (source, zone) = (source, zone)
        // What a route needs is small beside a Function or a slice, so no object is kept.
        informers.follow(Function.self, leavingOut: FunctionRecord.unread) { change in
            switch change {
            case .stored(let function):
                source.put(FunctionRecord(function), version: function.metadata.resourceVersion)
            case .removed(let key): source.remove(key)
            }
        }
        informers.follow(
            EndpointSlice.self, scope: InformerScope(labelSelector: FareboxLabel.name), at: slices,
            leavingOut: EndpointSlice.unread
        ) { change in
            switch change {
            case .stored(let slice):
                guard let function = slice.function else { return source.removeSlice(slice.key) }
                source.setSlice(slice.metadata.name, of: function, slice.callAddresses(near: zone))
            case .removed(let key): source.removeSlice(key)
            }
        }
    }
}
