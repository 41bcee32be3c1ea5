public import JSON
public import KubernetesTypes

extension KubernetesAPI {
    /// Makes an object; `isAlreadyExists` when there is one of that name.
    public func create<Resource: KubernetesResource>(
        _ object: Resource, at descriptor: ResourceDescriptor? = nil
    ) async throws -> Resource {
        let resource = descriptor ?? Resource.descriptor
        guard !object.metadata.name.isEmpty || !object.metadata.generateName.isEmpty else {
            throw KubernetesError.invalidRequest("create \(resource): the object has no name")
        }
        var request = APIRequest(.create, resource, namespace: object.metadata.namespace)
        request.body = try manifest(object, as: resource)
        return try await fetch(Resource.self, request)
    }

    /// Replaces an object as a whole, provided it still has the version that `object` carries.
    ///
    /// Fields that the type does not know are lost: for kinds we share with others, use ``apply(_:as:force:at:)``.
    ///
    /// - Throws: ``KubernetesError``; `isConflict` when somebody was faster.
    public func update<Resource: KubernetesResource>(
        _ object: Resource, subresource: String? = nil, at descriptor: ResourceDescriptor? = nil
    ) async throws -> Resource {
        let resource = descriptor ?? Resource.descriptor
        var request = try APIRequest(.update, object: object.key, of: resource, subresource: subresource)
        request.body = try manifest(object, as: resource)
        return try await fetch(Resource.self, request)
    }

    /// Sets the fields of `object` by server-side apply, and makes the object when it does not exist.
    ///
    /// What the server maintains (`status`, uid, creation time…) is taken out first. A field that this manager set
    /// before and that `object` no longer has is removed.
    ///
    /// - Parameters:
    ///   - object: Every field we own, and no other.
    ///   - fieldManager: Who owns the fields; at most 128 bytes.
    ///   - force: Whether to take fields over from another manager instead of failing with a conflict.
    ///   - descriptor: Another version or group of the same shape; by default the type's own.
    public func apply<Resource: KubernetesResource>(
        _ object: Resource, as fieldManager: String, force: Bool = true, at descriptor: ResourceDescriptor? = nil
    ) async throws -> Resource {
        let resource = descriptor ?? Resource.descriptor
        var request = try APIRequest(.apply, object: object.key, of: resource)
        request.body = ApplyBody.fields(of: try manifest(object, as: resource))
        request.query = ApplyBody.query(fieldManager, force)
        return try await fetch(Resource.self, request)
    }

    /// Sets fields given as a tree by server-side apply; `apiVersion` and `kind` are filled in.
    public func apply(
        _ fields: JSONValue, to key: ObjectKey, of resource: ResourceDescriptor, as fieldManager: String,
        force: Bool = true
    ) async throws -> JSONValue {
        var request = try APIRequest(.apply, object: key, of: resource)
        request.body = ApplyBody.fields(of: ApplyBody.named(fields, key, resource))
        request.query = ApplyBody.query(fieldManager, force)
        return try await fetch(JSONValue.self, request)
    }

    /// Sets the fields of the object's `status` by server-side apply.
    ///
    /// - Parameters:
    ///   - object: Carries the name and the status to set; other fields are not sent.
    ///   - fieldManager: Who owns the fields.
    ///   - force: Whether to take fields over from another manager.
    ///   - descriptor: Another version or group of the same shape; by default the type's own.
    public func applyStatus<Resource: KubernetesResource>(
        _ object: Resource, as fieldManager: String, force: Bool = true, at descriptor: ResourceDescriptor? = nil
    ) async throws -> Resource {
        let resource = descriptor ?? Resource.descriptor
        var request = try APIRequest(.apply, object: object.key, of: resource, subresource: "status")
        request.body = ApplyBody.status(of: try manifest(object, as: resource), object.key, resource)
        request.query = ApplyBody.query(fieldManager, force)
        return try await fetch(Resource.self, request)
    }

    /// Changes an object by a patch.
    ///
    /// - Parameters:
    ///   - type: The object's kind.
    ///   - key: The object's namespace and name.
    ///   - patch: The change.
    ///   - subresource: For example `status` or `scale`; the answer must still have the shape of `type`.
    ///   - descriptor: Another version or group of the same shape; by default the type's own.
    public func patch<Resource: KubernetesResource>(
        _ type: Resource.Type, _ key: ObjectKey, _ patch: Patch, subresource: String? = nil,
        at descriptor: ResourceDescriptor? = nil
    ) async throws -> Resource {
        let resource = descriptor ?? type.descriptor
        return try await fetch(type, patch.request(key, resource, subresource))
    }

    /// Changes an object by a patch and returns the answer as a tree.
    public func patch(
        _ resource: ResourceDescriptor, _ key: ObjectKey, _ patch: Patch, subresource: String? = nil
    ) async throws -> JSONValue {
        try await fetch(JSONValue.self, patch.request(key, resource, subresource))
    }

    /// Deletes one object, or asks for its deletion when finalizers hold it.
    ///
    /// - Throws: ``KubernetesError``; `isNotFound` when it is gone already, `isConflict` when it is another one.
    public func delete<Resource: KubernetesResource>(
        _ type: Resource.Type, _ key: ObjectKey, options: DeleteOptions = DeleteOptions(),
        at descriptor: ResourceDescriptor? = nil
    ) async throws {
        var request = try APIRequest(.delete, object: key, of: descriptor ?? type.descriptor)
        request.body = options.body
        _ = try await send(request)
    }

    /// Deletes every object of a namespace that the selectors choose.
    ///
    /// - Parameters:
    ///   - type: The kind to delete.
    ///   - namespace: The namespace; it must not be empty for a namespaced kind.
    ///   - labelSelector: Selects by labels; `nil` means all.
    ///   - options: On which terms.
    public func deleteAll<Resource: KubernetesResource>(
        _ type: Resource.Type, namespace: String, labelSelector: String?, options: DeleteOptions = DeleteOptions()
    ) async throws {
        guard !type.descriptor.isNamespaced || !namespace.isEmpty else {
            throw KubernetesError.invalidRequest("delete all \(type.descriptor): no namespace is given")
        }
        var request = APIRequest(.deleteCollection, type.descriptor, namespace: namespace)
        if let labelSelector { request.query.append((name: "labelSelector", value: labelSelector)) }
        request.body = options.body
        _ = try await send(request)
    }

    private func manifest<Resource: KubernetesResource>(
        _ object: Resource, as descriptor: ResourceDescriptor
    ) throws -> JSONValue {
        do {
            var manifest = try object.manifest()
            manifest["apiVersion"] = .string(descriptor.apiVersion)
            return manifest
        } catch {
            throw KubernetesError.invalidRequest("\(descriptor) \(object.key): \(error)")
        }
    }
}

extension DeleteOptions {
    /// The DeleteOptions object, or `nil` when nothing is asked for.
    var body: JSONValue? {
        var body: JSONValue = .object([:])
        if let uid { body[path: "preconditions", "uid"] = .string(uid) }
        if let resourceVersion { body[path: "preconditions", "resourceVersion"] = .string(resourceVersion) }
        if let propagation { body["propagationPolicy"] = .string(propagation.rawValue) }
        if let gracePeriod { body["gracePeriodSeconds"] = .integer(max(0, gracePeriod.components.seconds)) }
        guard body != .object([:]) else { return nil }
        body["apiVersion"] = "v1"
        body["kind"] = "DeleteOptions"
        return body
    }
}
