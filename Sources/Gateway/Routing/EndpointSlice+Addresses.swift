import CRDs
import HTTP
import KubernetesTypes

extension EndpointSlice {
    /// What of a slice is not read here.
    static let unread = [
        ["metadata", "annotations"], ["metadata", "creationTimestamp"], ["metadata", "ownerReferences"],
        ["endpoints", "targetRef"], ["endpoints", "nodeName"],
    ]

    /// The Function whose pods the slice lists, by the label that Services of functions carry and slices inherit.
    var function: ObjectKey? {
        metadata.labels[FareboxLabel.name].map { ObjectKey(namespace: metadata.namespace, name: $0) }
    }

    /// The addresses that may get calls: ready ones, and those that are ending but still serve.
    ///
    /// Slices of host names, and ports that are not TCP, are left out.
    ///
    /// - Parameter zone: Where the gateway is; addresses there are near.
    func callAddresses(near zone: String? = nil) -> [RouteSource.SliceAddress] {
        guard addressType != "FQDN",
            let port = ports.first(where: { ($0.protocol ?? "TCP") == "TCP" })?.port.flatMap({ UInt16(exactly: $0) })
        else { return [] }
        return endpoints.compactMap { endpoint in
            // Consumers use the first address only (EndpointSlice API page).
            guard let host = endpoint.addresses.first, let address = SocketAddress(host: host, port: port) else {
                return nil
            }
            let isNear = zone != nil && endpoint.place == zone
            if endpoint.isReady {
                return RouteSource.SliceAddress(address: address, isEnding: false, isNear: isNear)
            }
            let isEnding = endpoint.conditions?.serving == true && endpoint.conditions?.terminating == true
            return isEnding ? RouteSource.SliceAddress(address: address, isEnding: true, isNear: isNear) : nil
        }
    }
}
