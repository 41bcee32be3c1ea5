import JSON
import KubernetesClient
import KubernetesTypes

/// Asks the API server who a token belongs to, and what they may do.
///
/// Source: Kubernetes API, `authentication.k8s.io/v1` TokenReview and `authorization.k8s.io/v1` SubjectAccessReview.
struct AccessReview: Sendable {
    let api: any KubernetesAPI

    /// Somebody the API server knows.
    struct Person: Sendable, Hashable {
        let username: String
        let uid: String
        let groups: [String]
        let extra: JSONValue
    }

    /// One thing that somebody wants to read: the log of a Farebox object.
    struct Wish: Sendable, Hashable {
        /// `repositories` or `functions`.
        let resource: String
        let namespace: String
        /// nil for all objects of the namespace.
        let name: String?
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

    /// Whether a person may read a log: the verb `get` on the subresource `log`.
    ///
    /// - Throws: `KubernetesError`.
    func allows(_ person: Person, _ wish: Wish) async throws -> Bool {
        var attributes: JSONValue = [
            "group": "farebox.dev", "resource": .string(wish.resource), "subresource": "log", "verb": "get",
            "namespace": .string(wish.namespace),
        ]
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
