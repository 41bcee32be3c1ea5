public import JSON
public import KubernetesTypes

/// One request to the Kubernetes API, before it is turned into HTTP.
///
/// The verbs of ``KubernetesAPI`` make these; a stand-in for the API server in a test can tell from it what is asked.
public struct APIRequest: Sendable {
    /// What to do.
    public var verb: APIVerb
    /// The resource it concerns; `nil` for a path outside the resources, as in discovery.
    public var resource: ResourceDescriptor?
    /// The namespace; `nil` for a cluster-scoped resource or for all namespaces.
    public var namespace: String?
    /// The object's name; `nil` addresses the collection.
    public var name: String?
    /// For example `status`, `scale` or `log`.
    public var subresource: String?
    /// The path, percent-encoded, beginning with a slash.
    public var path: String
    /// Query parameters in order, not yet encoded.
    public var query: [(name: String, value: String)]
    /// What to send.
    public var body: JSONValue?
    /// Whether only the metadata of objects is wanted, which have no other members then: of Secrets, no value.
    ///
    /// Source: Kubernetes API concepts, "Receiving resources as … PartialObjectMetadata"; 1.15 and later.
    public var wantsMetadataOnly = false
    /// The longest wait between two pieces of a stream; `nil` waits without limit.
    ///
    /// Unary requests ignore it.
    public var silenceMaximum: Duration?

    /// Makes a request for a resource.
    public init(
        _ verb: APIVerb, _ resource: ResourceDescriptor, namespace: String? = nil, name: String? = nil,
        subresource: String? = nil, query: [(name: String, value: String)] = [], body: JSONValue? = nil
    ) {
        self.verb = verb
        self.resource = resource
        self.namespace = resource.isNamespaced ? namespace.flatMap { $0.isEmpty ? nil : $0 } : nil
        self.name = name
        self.subresource = subresource
        self.path = resource.path(namespace: self.namespace, name: name, subresource: subresource)
        self.query = query
        self.body = body
    }

    /// Makes a reading request for a path outside the resources, such as `/version`.
    public init(path: String) {
        verb = .get
        self.path = path
        query = []
    }

    /// The key of the object; `nil` for a collection.
    public var key: ObjectKey? { name.map { ObjectKey(namespace: namespace ?? "", name: $0) } }

    /// Returns the value of a query parameter.
    public func query(_ name: String) -> String? { query.first { $0.name == name }?.value }
}

extension APIRequest: CustomStringConvertible {
    /// What is asked, for error messages: `patch deployments.v1.apps/status farebox-functions/hello`.
    public var description: String {
        guard let resource else { return "\(verb.rawValue) \(path)" }
        let what = subresource.map { "\(resource)/\($0)" } ?? "\(resource)"
        if let key { return "\(verb.rawValue) \(what) \(key)" }
        return "\(verb.rawValue) \(what)" + (namespace.map { " in \($0)" } ?? "")
    }
}

/// What a request does, in the API server's terms.
public enum APIVerb: String, Sendable {
    /// Read one object.
    case get
    /// Read a collection.
    case list
    /// Follow the changes of a collection.
    case watch
    /// Make an object.
    case create
    /// Replace an object as a whole.
    case update
    /// Change an object by a JSON Merge Patch (RFC 7386).
    case mergePatch
    /// Change an object by a JSON Patch (RFC 6902).
    case jsonPatch
    /// Change an object by server-side apply.
    case apply
    /// Delete one object.
    case delete
    /// Delete the objects of a collection.
    case deleteCollection
}
