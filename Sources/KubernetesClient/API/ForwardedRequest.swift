public import HTTP
import KubernetesTypes

/// A request that the API server passes on to a Service, with the caller's right to `services/proxy`.
///
/// Source: Kubernetes documentation, "Access Services Running on Clusters". The Service's answer comes back as it is; what
/// the API server itself refuses comes back as a Status object. A field `Authorization` never reaches the Service, since it
/// is the API server's.
public struct ForwardedRequest: Sendable {
    /// The method.
    public var method: HTTPMethod
    /// The Service's namespace.
    public var namespace: String
    /// The Service's name.
    public var service: String
    /// The name or the number of the Service's port.
    public var port: String
    /// The path at the Service with its query, percent-encoded, beginning with a slash.
    public var target: String
    /// Header fields for the Service.
    public var headers: HTTPHeaders
    /// What to send.
    public var body: HTTPClientRequest.Body
    /// The limit for everything up to the head of the answer; `nil` for none.
    public var headTimeout: Duration?
    /// The longest silence once the head is there; `nil` for none.
    public var idleTimeout: Duration?

    /// Makes a request.
    public init(
        _ method: HTTPMethod = .get, namespace: String, service: String, port: String, target: String,
        headers: HTTPHeaders = HTTPHeaders(), body: HTTPClientRequest.Body = .none,
        headTimeout: Duration? = .seconds(60),
        idleTimeout: Duration? = nil
    ) {
        self.method = method
        self.namespace = namespace
        self.service = service
        self.port = port
        self.target = target
        self.headers = headers
        self.body = body
        self.headTimeout = headTimeout
        self.idleTimeout = idleTimeout
    }

    /// The path at the API server.
    ///
    /// - Throws: ``KubernetesError/invalidRequest(_:)`` for a target that would leave the Service.
    func path() throws -> String {
        let path = target.prefix { $0 != "?" && $0 != "#" }
        let segments = path.split(separator: "/", omittingEmptySubsequences: false)
        let leaves = segments.contains { segment in
            let plain = segment.lowercased().split(separator: "%2e", omittingEmptySubsequences: false)
                .joined(separator: ".")
            return plain == "." || plain == ".."
        }
        guard target.hasPrefix("/"), !leaves, !target.contains("#") else {
            throw KubernetesError.invalidRequest("the path \(path.prefix(200)) cannot be passed on to a Service")
        }
        let name = PercentEncoding.encode(service) + ":" + PercentEncoding.encode(port)
        return "/api/v1/namespaces/\(PercentEncoding.encode(namespace))/services/\(name)/proxy\(target)"
    }
}

extension ForwardedRequest: CustomStringConvertible {
    /// What is asked, for error messages.
    public var description: String { "\(method) at service \(service) in \(namespace)" }
}
