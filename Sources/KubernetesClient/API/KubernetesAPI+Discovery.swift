public import KubernetesTypes

extension KubernetesAPI {
    /// Reads which release of Kubernetes the server runs.
    public func serverVersion() async throws -> ServerVersion {
        try await fetch(ServerVersion.self, APIRequest(path: "/version"))
    }

    /// Whether the server offers a resource in exactly this group and version.
    public func hasResource(_ descriptor: ResourceDescriptor) async throws -> Bool {
        let request = APIRequest(path: descriptor.rootPath)
        do {
            let list = try await fetch(APIResourceList.self, request)
            return list.resources.contains { $0.name == descriptor.plural }
        } catch let error as KubernetesError where error.isNotFound {
            return false
        }
    }

    /// Returns the first of several descriptions of one resource that the server offers.
    ///
    /// - Parameter candidates: The same resource in different versions, the preferred one first.
    /// - Returns: `nil` when the server offers none.
    public func firstOffered(_ candidates: [ResourceDescriptor]) async throws -> ResourceDescriptor? {
        for candidate in candidates where try await hasResource(candidate) {
            return candidate
        }
        return nil
    }
}

/// A release of Kubernetes, from `/version`.
public struct ServerVersion: Codable, Hashable, Sendable {
    /// The major number as text, such as `1`.
    public var major: String
    /// The minor number as text; some vendors append a plus sign.
    public var minor: String
    /// The full name, such as `v1.20.5`.
    public var gitVersion: String

    /// The minor number without what vendors append, or `nil` when it is no number.
    public var minorNumber: Int? { Int(minor.prefix { $0.isASCII && $0.isNumber }) }
}

/// The resources of one group and version.
struct APIResourceList: Codable, Sendable {
    var resources: [Entry]

    struct Entry: Codable, Sendable {
        var name: String
    }
}
