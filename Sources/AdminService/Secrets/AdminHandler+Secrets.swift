import CRDs
import ClusterAccess
import Cryptography
import HTTP
import JSON
import KubernetesTypes

/// `/system/secrets`.
extension AdminHandler {
    private var secrets: FunctionSecrets { FunctionSecrets(api: api) }

    func listSecrets(_ query: QueryParameters, _ caller: Caller) async throws(AdminRefusal) -> HTTPResponse {
        let namespace = try await namespaces.resolve(query["namespace"])
        try await callers.require(.secrets("list", namespace), of: caller)
        let names = try await secrets.names(in: namespace)
        return .json(.ok, .array(names.map { ["name": .string($0), "namespace": .string(namespace)] }))
    }

    func createSecret(
        _ request: HTTPRequest, _ query: QueryParameters, _ caller: Caller
    ) async throws(AdminRefusal) -> HTTPResponse {
        let body = try FunctionDeployment.object(try await body(of: request))
        let key = try await secretKey(body, query)
        try await callers.require(.secrets("create", key.namespace), of: caller)
        try await secrets.create(key, try Self.value(body))
        tell("Secret made", key, by: caller)
        return HTTPResponse(.accepted)
    }

    func updateSecret(
        _ request: HTTPRequest, _ query: QueryParameters, _ caller: Caller
    ) async throws(AdminRefusal) -> HTTPResponse {
        let body = try FunctionDeployment.object(try await body(of: request))
        let key = try await secretKey(body, query)
        try await callers.require(.secrets("update", key.namespace, key.name), of: caller)
        try await secrets.update(key, try Self.value(body))
        tell("Secret changed", key, by: caller)
        return HTTPResponse(.accepted)
    }

    func deleteSecret(
        _ request: HTTPRequest, _ query: QueryParameters, _ caller: Caller
    ) async throws(AdminRefusal) -> HTTPResponse {
        let body = try FunctionDeployment.object(try await body(of: request))
        let key = try await secretKey(body, query)
        try await callers.require(.secrets("delete", key.namespace, key.name), of: caller)
        try await secrets.delete(key)
        tell("Secret removed", key, by: caller)
        return HTTPResponse(.accepted)
    }

    /// Makes sure that a function gets Secrets that are meant for functions, and that they are there.
    ///
    /// - Throws: ``AdminRefusal``.
    func checkSecrets(of deployment: FunctionDeployment, in namespace: String) async throws(AdminRefusal) {
        guard deployment.secrets.count <= Self.secretsMaximum else {
            throw AdminRefusal(.badRequest, "secrets: at most \(Self.secretsMaximum) for one function")
        }
        for name in deployment.secrets {
            guard DNSName.isSubdomain(name), try await secrets.find(ObjectKey(namespace: namespace, name: name)) != nil
            else {
                throw AdminRefusal(
                    .badRequest,
                    "secrets: there is no secret \(name.prefix(253)) for functions in namespace \(namespace); make it: "
                        + "faas-cli secret create")
            }
        }
    }

    /// Each is asked for.
    private static let secretsMaximum = 50

    private func secretKey(_ body: JSONObject, _ query: QueryParameters) async throws(AdminRefusal) -> ObjectKey {
        let name = try FunctionDeployment.text(body, "name") ?? ""
        guard DNSName.isSubdomain(name) else {
            throw AdminRefusal(.badRequest, "name: \"\(name.prefix(100))\" is no name for a secret")
        }
        let namespace = try FunctionDeployment.text(body, "namespace") ?? query["namespace"]
        return ObjectKey(namespace: try await namespaces.resolve(namespace), name: name)
    }

    /// The value: `rawValue` in base64, else `value`.
    private static func value(_ body: JSONObject) throws(AdminRefusal) -> [UInt8] {
        if let raw = try FunctionDeployment.text(body, "rawValue") {
            guard let bytes = Base64.decode(raw) else { throw AdminRefusal(.badRequest, "rawValue: must be base64") }
            return bytes
        }
        return Array((try FunctionDeployment.text(body, "value") ?? "").utf8)
    }
}

extension AccessReview.Wish {
    /// To do something to Secrets.
    static func secrets(_ verb: String, _ namespace: String, _ name: String? = nil) -> Self {
        AccessReview.Wish(verb, group: "", resource: Secret.descriptor.plural, namespace: namespace, name: name)
    }
}
