public import JSON
public import KubernetesTypes

extension KubernetesAPI {
    /// Reads one object.
    ///
    /// - Parameters:
    ///   - type: The kind to read.
    ///   - key: The object's namespace and name.
    ///   - descriptor: Another version or group of the same shape; by default the type's own.
    ///   - resourceVersion: `0` accepts what the server has at hand; `nil` reads the newest.
    public func get<Resource: KubernetesResource>(
        _ type: Resource.Type, _ key: ObjectKey, at descriptor: ResourceDescriptor? = nil,
        resourceVersion: String? = nil
    ) async throws -> Resource {
        var request = try APIRequest(.get, object: key, of: descriptor ?? type.descriptor)
        if let resourceVersion { request.query.append((name: "resourceVersion", value: resourceVersion)) }
        return try await fetch(type, request)
    }

    /// Reads one page of a collection.
    ///
    /// - Parameters:
    ///   - type: The kind to read.
    ///   - namespace: The namespace; `nil` reads all of them.
    ///   - options: What to select and where to go on.
    ///   - descriptor: Another version or group of the same shape; by default the type's own.
    public func list<Resource: KubernetesResource>(
        _ type: Resource.Type, namespace: String? = nil, options: ListOptions = ListOptions(),
        at descriptor: ResourceDescriptor? = nil
    ) async throws -> ResourceList<Resource> {
        let request = APIRequest(.list, descriptor ?? type.descriptor, namespace: namespace, query: options.query)
        return try await fetch(ResourceList<Resource>.self, request)
    }

    /// Reads one page of a collection and hands its objects on one by one, in no order: only a few of them take memory at a time.
    ///
    /// - Parameters:
    ///   - type: The kind to read.
    ///   - namespace: The namespace; `nil` reads all of them.
    ///   - options: What to select and where to go on.
    ///   - descriptor: Another version or group of the same shape; by default the type's own.
    ///   - leftOut: Members that nobody reads, each as the keys from an object down to it, through arrays on the way. Who set
    ///     which field, half of many an object, is always left out: no type of ours has it.
    ///   - take: Is given the objects; some of them also when the page fails in the end.
    /// - Returns: The version of the collection and where the next page begins.
    public func list<Resource: KubernetesResource>(
        _ type: Resource.Type, namespace: String? = nil, options: ListOptions = ListOptions(),
        at descriptor: ResourceDescriptor? = nil, leavingOut leftOut: [[String]] = [], each take: (Resource) -> Void
    ) async throws -> ListMeta {
        let request = APIRequest(.list, descriptor ?? type.descriptor, namespace: namespace, query: options.query)
        let bytes = try await send(request)
        do {
            let list = try JSONReader().list(bytes, elementsOf: "items")
            try await ListPage<Resource>(list: list, leftOut: leftOut + [["metadata", "managedFields"]]).forEach(take)
            return try JSONReader().decode(ResourceList<Resource>.self, from: list.rest).metadata
        } catch {
            throw KubernetesError.decoding("\(error)", during: request.description)
        }
    }

    /// Follows the changes of a collection.
    ///
    /// - Parameters:
    ///   - type: The kind to follow.
    ///   - namespace: The namespace; `nil` follows all of them.
    ///   - options: From where, for how long.
    ///   - descriptor: Another version or group of the same shape; by default the type's own.
    /// - Throws: ``KubernetesError``; `isExpired` when the version is too old and a new list is due.
    public func watch<Resource: KubernetesResource>(
        _ type: Resource.Type, namespace: String? = nil, options: WatchOptions,
        at descriptor: ResourceDescriptor? = nil
    ) async throws -> WatchStream {
        var request = APIRequest(.watch, descriptor ?? type.descriptor, namespace: namespace, query: options.query)
        request.silenceMaximum = options.silenceMaximum
        return WatchStream(try await open(request), request: request.description)
    }

    /// Reads a container's log piece by piece, as it is written when the options say `follows`.
    ///
    /// - Parameters:
    ///   - pod: The pod's namespace and name.
    ///   - options: Which part of the log.
    public func logs(_ pod: ObjectKey, options: LogOptions = LogOptions()) async throws -> any ByteStream {
        let pods = ResourceDescriptor(version: "v1", kind: "Pod", plural: "pods")
        var request = try APIRequest(.get, object: pod, of: pods, subresource: "log")
        request.query = options.query
        return try await open(request)
    }

    /// Reads an object as a tree, of a kind that has no type here.
    public func get(_ descriptor: ResourceDescriptor, _ key: ObjectKey) async throws -> JSONValue {
        try await fetch(JSONValue.self, APIRequest(.get, object: key, of: descriptor))
    }

    /// Sends a request and decodes the answer.
    func fetch<Answer: Decodable>(_ type: Answer.Type, _ request: APIRequest) async throws -> Answer {
        let bytes = try await send(request)
        do {
            return try JSONReader().decode(type, from: bytes)
        } catch {
            throw KubernetesError.decoding("\(error)", during: request.description)
        }
    }
}
