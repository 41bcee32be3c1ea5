import KubernetesTypes

/// An object that may not have the shape we expect of its kind.
///
/// One object that cannot be read, written by an older or a newer release say, must not keep all others from being seen: a
/// list of these decodes whatever its items are.
struct Tolerant<Resource: KubernetesResource>: KubernetesResource {
    static var descriptor: ResourceDescriptor { Resource.descriptor }

    var metadata: ObjectMeta

    /// The object, or what is wrong with it.
    let object: Result<Resource, Unreadable>

    /// Why an object could not be read.
    struct Unreadable: Error {
        let reason: String
    }

    private enum CodingKeys: CodingKey { case metadata }

    init(from decoder: any Decoder) throws {
        do {
            let resource = try Resource(from: decoder)
            object = .success(resource)
            metadata = resource.metadata
        } catch {
            object = .failure(Unreadable(reason: "\(error)"))
            metadata = try decoder.container(keyedBy: CodingKeys.self).decode(ObjectMeta.self, forKey: .metadata)
        }
    }

    func encode(to encoder: any Encoder) throws {
        try object.get().encode(to: encoder)
    }
}
