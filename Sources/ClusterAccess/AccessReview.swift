import JSON
public import KubernetesClient
import KubernetesTypes

/// Asks the API server who a token belongs to, and what they may do.
///
/// Source: Kubernetes API, `authentication.k8s.io/v1` TokenReview and `authorization.k8s.io/v1` SubjectAccessReview.
public struct AccessReview: Sendable {
    let api: any KubernetesAPI

    /// Asks through `api`, which needs the right to create both kinds of reviews.
    public init(api: any KubernetesAPI) { self.api = api }

    /// Somebody the API server knows.
    public struct Person: Sendable, Hashable {
        /// What the API server calls them, such as `system:serviceaccount:team:deployer`.
        public let username: String
        let uid: String
        let groups: [String]
        let extra: JSONValue
    }

    /// One thing that somebody wants to do.
    public struct Wish: Sendable, Hashable {
        let verb: String
        let group: String
        let resource: String
        let subresource: String?
        let namespace: String
        /// nil for all objects of the namespace.
        public let name: String?

        /// Makes a wish.
        ///
        /// - Parameters:
        ///   - verb: As RBAC names it, such as `get`.
        ///   - group: The API group; empty for the core.
        ///   - resource: The plural, such as `functions`.
        ///   - subresource: Such as `scale`.
        ///   - namespace: Where.
        ///   - name: The object; nil for all of the namespace.
        public init(
            _ verb: String, group: String, resource: String, subresource: String? = nil, namespace: String,
            name: String? = nil
        ) {
            self.verb = verb
            self.group = group
            self.resource = resource
            self.subresource = subresource
            self.namespace = namespace
            self.name = name
        }
    }

    private static let tokenReview = ResourceDescriptor(
        group: "authentication.k8s.io", version: "v1", kind: "TokenReview", plural: "tokenreviews", isNamespaced: false)
    private static let accessReview = ResourceDescriptor(
        group: "authorization.k8s.io", version: "v1", kind: "SubjectAccessReview", plural: "subjectaccessreviews",
        isNamespaced: false)

    /// Whose token it is; nil when it is nobody's.
    ///
    /// - Throws: `KubernetesError`.
    func person(token: String) async throws -> Person? {
        let answer = try await create(Self.tokenReview, spec: ["token": .string(token)])
        guard answer["authenticated"]?.boolValue == true, let user = answer["user"],
            let name = user["username"]?.stringValue, !name.isEmpty
        else { return nil }
        return Person(
            username: name, uid: user["uid"]?.stringValue ?? "",
            groups: (user["groups"]?.arrayValue ?? []).compactMap(\.stringValue), extra: user["extra"] ?? .object([:]))
    }

    /// Whether a person may do something.
    ///
    /// - Throws: `KubernetesError`.
    func allows(_ person: Person, _ wish: Wish) async throws -> Bool {
        var attributes: JSONValue = [
            "group": .string(wish.group), "resource": .string(wish.resource), "verb": .string(wish.verb),
            "namespace": .string(wish.namespace),
        ]
        if let subresource = wish.subresource { attributes["subresource"] = .string(subresource) }
        if let name = wish.name { attributes["name"] = .string(name) }
        let answer = try await create(
            Self.accessReview,
            spec: [
                "user": .string(person.username), "uid": .string(person.uid),
                "groups": .array(person.groups.map { .string($0) }), "extra": person.extra,
                "resourceAttributes": attributes,
            ])
        // Only an explicit yes counts.
        return answer["allowed"]?.boolValue == true && answer["denied"]?.boolValue != true
    }

    /// Makes a review, which is answered and not kept.
    private func create(_ type: ResourceDescriptor, spec: JSONValue) async throws -> JSONValue {
        var request = APIRequest(.create, type)
        request.body = ["apiVersion": .string(type.apiVersion), "kind": .string(type.kind), "spec": spec]
        let answer = try JSONReader().parse(try await api.send(request))
        return answer["status"] ?? .null
    }
}

extension AccessReview.Wish: CustomStringConvertible {
    /// As RBAC would say it: `patch functions.farebox.dev/scale hello in namespace team-a`.
    public var description: String {
        let kind = group.isEmpty ? resource : "\(resource).\(group)"
        let what = subresource.map { "\(kind)/\($0)" } ?? kind
        return "\(verb) \(what)\(name.map { " " + $0 } ?? "") in namespace \(namespace)"
    }
}
