public import JSON

extension KubernetesResource {
    /// Returns the object as it stands in manifests, with `apiVersion` and `kind`.
    ///
    /// - Throws: `JSONError` when a value has no JSON form.
    public func manifest() throws -> JSONValue {
        var manifest = try JSONWriter().value(of: self)
        manifest["apiVersion"] = .string(Self.descriptor.apiVersion)
        manifest["kind"] = .string(Self.descriptor.kind)
        return manifest
    }
}
