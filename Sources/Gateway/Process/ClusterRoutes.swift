import CRDs
import ControllerRuntime
import KubernetesClient
import KubernetesTypes

/// Feeds the routes from a cluster's Functions and EndpointSlices.
struct ClusterRoutes: Sendable {
    let source: RouteSource

    /// Subscribes to both collections; the caller starts the informers.
    ///
    /// - Throws: `KubernetesError` when the server cannot be asked which version of EndpointSlice it has.
    func watch(api: any KubernetesAPI, informers: SharedInformers) async throws {
        let slices =
            try await api.firstOffered([EndpointSlice.descriptor, EndpointSliceV1Beta1.descriptor])
            ?? EndpointSlice.descriptor
        let source = source
        informers.informer(Function.self, transform: Self.strip).addHandler { event in
            switch event {
            case .added(let function, _), .updated(_, let function):
                source.put(FunctionRecord(function), version: function.metadata.resourceVersion)
            case .deleted(let function, _):
                source.remove(ObjectKey(namespace: function.metadata.namespace, name: function.metadata.name))
            }
        }
        informers.informer(
            EndpointSlice.self, scope: InformerScope(labelSelector: FareboxLabel.name), at: slices,
            transform: Self.strip
        ).addHandler { event in
            if let old = event.old, let function = old.function, function != event.object.function {
                source.setSlice(old.metadata.name, of: function, [])
            }
            guard let function = event.object.function else { return }
            switch event {
            case .added(let slice, _), .updated(_, let slice):
                source.setSlice(slice.metadata.name, of: function, slice.callAddresses)
            case .deleted(let slice, _):
                source.setSlice(slice.metadata.name, of: function, [])
            }
        }
    }

    /// Takes away what routing does not read: with many functions, most of their size.
    @Sendable
    private static func strip(_ function: inout Function) {
        function.metadata.labels = [:]
        function.metadata.annotations = function.metadata.annotations.filter { key, _ in
            key == FareboxAnnotation.owner || key == FareboxAnnotation.function
        }
        function.metadata.ownerReferences = []
        function.metadata.finalizers = []
        function.spec.image = ""
        function.spec.source = nil
        function.spec.environment = [:]
        function.spec.secrets = []
        function.spec.labels = [:]
        function.spec.annotations = [:]
        if var status = function.status {
            let domains = status.domains
            status = FunctionStatus()
            status.domains = domains
            function.status = domains.isEmpty ? nil : status
        }
    }

    @Sendable
    private static func strip(_ slice: inout EndpointSlice) {
        slice.metadata.labels = slice.metadata.labels.filter { key, _ in key == FareboxLabel.name }
        slice.metadata.annotations = [:]
        slice.metadata.ownerReferences = []
        slice.metadata.finalizers = []
        slice.metadata.generateName = ""
        for index in slice.endpoints.indices {
            slice.endpoints[index].targetRef = nil
            slice.endpoints[index].nodeName = nil
        }
    }
}
