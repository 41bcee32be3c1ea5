import Builds
import CRDs
import Cryptography
import HTTP
import JSON
import KubernetesClient
import KubernetesTypes
import MemoryCluster
import Telemetry
import Testing

@testable import AdminService

/// Where a scenario runs.
enum Backend: Sendable {
    case memory
    /// The kube-apiserver of `FAREBOX_TEST_KUBECONFIG`.
    case server

    static let serverIsNeeded = ConditionTrait.enabled(
        if: APIServer.kubeconfig != nil, Comment(rawValue: APIServer.remedy))
}

/// The REST API on loopback, with a namespace of its own and whoever calls it.
struct AdminOffice: Sendable {
    let backend: Backend
    let api: any KubernetesAPI
    let namespace: String
    let port: UInt16
    let registry: MetricsRegistry

    static let password = "correct-horse-battery"
    static let administrator = "Basic " + Base64.encode(Array("admin:\(password)".utf8))

    /// What came back.
    struct Answer: Sendable {
        let status: Int
        let text: String
        let headers: HTTPHeaders

        var json: JSONValue { (try? JSONReader().parse(text)) ?? .null }
    }

    /// Runs the API while `body` uses it.
    static func with(
        _ backend: Backend = .memory, gateway: UInt16 = 1, rootDomain: String = "",
        failures: FailureLimit = FailureLimit(), _ body: (AdminOffice) async throws -> Void
    ) async throws {
        let folder = try CredentialsFolder(user: "admin", password: password)
        let api: any KubernetesAPI = backend == .server ? try await APIServer.client : ReviewingAPI()
        let namespace = "test-\(UInt32.random(in: .min ... .max))"
        if backend == .server { _ = try await api.create(Namespace(metadata: ObjectMeta(name: namespace))) }
        var configuration = AdminConfiguration()
        configuration.address = "127.0.0.1"
        configuration.port = 0
        configuration.internalPort = 0
        configuration.credentialsFolder = folder.path
        configuration.gatewayURL = "http://127.0.0.1:\(gateway)"
        configuration.gatewayCallsURL = "http://127.0.0.1:1"
        configuration.functionsNamespace = namespace
        configuration.rootDomain = rootDomain
        configuration.rules = StackRules(allowedLabels: ["team"])
        configuration.version = "0.1.0"
        let registry = MetricsRegistry()
        let server = try AdminServer(
            configuration: configuration, api: api, registry: registry, failures: failures)
        let ports = try server.start()
        let running = Task { try await server.run() }
        let office = AdminOffice(
            backend: backend, api: api, namespace: namespace, port: ports.port, registry: registry)
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(office))
        } catch {
            result = .failure(error)
        }
        running.cancel()
        _ = await running.result
        if backend == .server { try await api.delete(Namespace.self, ObjectKey(name: namespace)) }
        try result.get()
    }

    /// Sends a request, as the administrator where nobody else is named.
    func send(
        _ method: HTTPMethod, _ path: String, _ body: JSONValue? = nil,
        as authorization: String? = AdminOffice.administrator, headers: [(String, String)] = []
    ) async throws -> Answer {
        try await send(method, path, text: body.map { JSONWriter().write($0) }, as: authorization, headers: headers)
    }

    /// Sends a request with any content.
    func send(
        _ method: HTTPMethod, _ path: String, text: [UInt8]?, as authorization: String? = AdminOffice.administrator,
        headers: [(String, String)] = []
    ) async throws -> Answer {
        var fields = HTTPHeaders(headers)
        if let authorization { fields.set("Authorization", authorization) }
        let answer = try await HTTPClient().send(
            HTTPClientRequest(
                method, url: "http://127.0.0.1:\(port)\(path)", headers: fields,
                body: text.map { .bytes($0) } ?? .none))
        return Answer(
            status: answer.status.code, text: String(decoding: answer.body, as: UTF8.self), headers: answer.headers)
    }

    /// Makes somebody who may do these things in the namespace, and returns what they send as `Authorization`.
    ///
    /// - Parameter rules: Such as `list functions.farebox.dev` and `create secrets`.
    func person(_ name: String, may rules: [String]) async throws -> String {
        if let api = api as? ReviewingAPI {
            api.allow(name, token: name + "-token", rules, in: namespace)
            return "Bearer \(name)-token"
        }
        let accounts = ResourceDescriptor(version: "v1", kind: "ServiceAccount", plural: "serviceaccounts")
        _ = try await api.apply(
            .object([:]), to: ObjectKey(namespace: namespace, name: name), of: accounts, as: "tests")
        let group = "rbac.authorization.k8s.io"
        let key = ObjectKey(namespace: namespace, name: name)
        _ = try await api.apply(
            ["rules": .array(rules.map(Self.rule))], to: key,
            of: ResourceDescriptor(group: group, version: "v1", kind: "Role", plural: "roles"), as: "tests")
        _ = try await api.apply(
            [
                "roleRef": ["apiGroup": .string(group), "kind": "Role", "name": .string(name)],
                "subjects": [["kind": "ServiceAccount", "name": .string(name), "namespace": .string(namespace)]],
            ], to: key,
            of: ResourceDescriptor(group: group, version: "v1", kind: "RoleBinding", plural: "rolebindings"),
            as: "tests")
        var request = APIRequest(.create, accounts, namespace: namespace, name: name, subresource: "token")
        request.body = ["apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": [:]]
        let answer = try JSONReader().parse(try await api.send(request))
        return "Bearer " + (try #require(answer[path: "status", "token"]?.stringValue))
    }

    private static func rule(_ text: String) -> JSONValue {
        let words = text.split(separator: " ").map(String.init)
        let (verb, rest) = (words[0], words[1])
        let parts = rest.split(separator: "/").map(String.init)
        let name = parts[0].split(separator: ".", maxSplits: 1).map(String.init)
        let resource = parts.count == 2 ? "\(name[0])/\(parts[1])" : name[0]
        return [
            "verbs": [.string(verb)], "apiGroups": [.string(name.count == 2 ? name[1] : "")],
            "resources": [.string(resource)],
        ]
    }
}
