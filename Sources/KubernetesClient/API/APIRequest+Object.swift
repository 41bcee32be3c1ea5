import KubernetesTypes

extension APIRequest {
    /// Makes a request for one object, after checking that its key can address exactly one.
    ///
    /// An empty name would address the whole collection, and `..` another path altogether, so both are refused. The
    /// server applies the same rule to path segments ("Names", Kubernetes documentation).
    ///
    /// - Throws: ``KubernetesError/invalidRequest(_:)``.
    init(
        _ verb: APIVerb, object key: ObjectKey, of resource: ResourceDescriptor, subresource: String? = nil
    ) throws {
        if let reason = Self.problem(inSegment: key.name) {
            throw KubernetesError.invalidRequest("\(verb.rawValue) \(resource): the name \(reason)")
        }
        if resource.isNamespaced, let reason = Self.problem(inSegment: key.namespace) {
            throw KubernetesError.invalidRequest("\(verb.rawValue) \(resource) \(key.name): the namespace \(reason)")
        }
        self.init(verb, resource, namespace: key.namespace, name: key.name, subresource: subresource)
    }

    /// Longer segments are refused; names have at most 253 bytes.
    static let segmentBytesMaximum = 253

    private static func problem(inSegment text: String) -> String? {
        if text.isEmpty { return "is empty" }
        if text == "." || text == ".." { return "'\(text)' is not allowed" }
        if text.utf8.count > segmentBytesMaximum { return "is longer than \(segmentBytesMaximum) bytes" }
        let isForbidden = { (byte: UInt8) in byte == UInt8(ascii: "/") || byte == UInt8(ascii: "%") || byte < 0x20 }
        return text.utf8.contains(where: isForbidden) ? "holds a character that no name has" : nil
    }
}
