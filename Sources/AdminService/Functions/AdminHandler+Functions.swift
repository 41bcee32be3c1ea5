import Builds
import CRDs
import ClusterAccess
import HTTP
import JSON
import KubernetesClient
import KubernetesTypes
import Timing

/// `/system/functions`, `/system/function/…` and `/system/scale-function/…`.
extension AdminHandler {
    func listFunctions(_ query: QueryParameters, _ caller: Caller) async throws(AdminRefusal) -> HTTPResponse {
        let namespace = try await namespaces.resolve(query["namespace"])
        try await callers.require(.functions("list", namespace), of: caller)
        do {
            let functions = try await api.list(Function.self, namespace: namespace).items
                .filter { !$0.metadata.isBeingDeleted }
            let totals = functions.isEmpty ? [:] : await calls.totals()
            return .json(
                .ok,
                .array(functions.map { FunctionReport(function: $0, calls: totals[Self.label($0.key)] ?? 0).json }))
        } catch {
            throw AdminRefusal(any: error, "functions in namespace \(namespace)")
        }
    }

    func describeFunction(
        _ name: String, _ query: QueryParameters, _ caller: Caller
    ) async throws(AdminRefusal) -> HTTPResponse {
        let key = try await key(name, query["namespace"])
        try await callers.require(.functions("get", key.namespace, key.name), of: caller)
        let function = try await function(key)
        return .json(.ok, FunctionReport(function: function, calls: await calls.totals()[Self.label(key)] ?? 0).json)
    }

    func createFunction(
        _ request: HTTPRequest, _ query: QueryParameters, _ caller: Caller
    ) async throws(AdminRefusal) -> HTTPResponse {
        let deployment = try FunctionDeployment(try await body(of: request))
        let key = try await key(deployment.service, deployment.namespace ?? query["namespace"])
        // Rules of RBAC cannot bound the making of an object by its name.
        try await callers.require(.functions("create", key.namespace), of: caller)
        try await checkSecrets(of: deployment, in: key.namespace)
        var function = Function(
            metadata: ObjectMeta(name: key.name, namespace: key.namespace), spec: FunctionSpec(image: deployment.image))
        let notes = try deployment.apply(to: &function, rules: rules)
        do {
            _ = try await api.create(function)
        } catch {
            throw AdminRefusal(any: error, Self.name(of: key))
        }
        tell("Function made", key, by: caller)
        return Self.accepted(notes)
    }

    func updateFunction(
        _ request: HTTPRequest, _ query: QueryParameters, _ caller: Caller
    ) async throws(AdminRefusal) -> HTTPResponse {
        let deployment = try FunctionDeployment(try await body(of: request))
        let key = try await key(deployment.service, deployment.namespace ?? query["namespace"])
        try await callers.require(.functions("update", key.namespace, key.name), of: caller)
        // Whether the function is there comes first: the client takes 404 as its cue to make it.
        _ = try await function(key)
        try await checkSecrets(of: deployment, in: key.namespace)
        var notes: [String] = []
        do {
            try await ConflictRetry().run {
                var function = try await changeable(key)
                notes = try deployment.apply(to: &function, rules: rules)
                _ = try await api.update(function)
            }
        } catch {
            throw AdminRefusal(any: error, Self.name(of: key))
        }
        tell("Function changed", key, by: caller)
        return Self.accepted(notes)
    }

    func deleteFunction(
        _ request: HTTPRequest, _ query: QueryParameters, _ caller: Caller
    ) async throws(AdminRefusal) -> HTTPResponse {
        let body = try FunctionDeployment.object(try await body(of: request))
        guard let name = try FunctionDeployment.text(body, "functionName") else {
            throw AdminRefusal(.badRequest, "functionName: name the function to remove")
        }
        let key = try await key(name, try FunctionDeployment.text(body, "namespace") ?? query["namespace"])
        try await callers.require(.functions("delete", key.namespace, key.name), of: caller)
        let function = try await changeable(key)
        do {
            try await api.delete(
                Function.self, key, options: DeleteOptions(uid: function.metadata.uid, propagation: .background))
        } catch {
            throw AdminRefusal(any: error, Self.name(of: key))
        }
        tell("Function removed", key, by: caller)
        return HTTPResponse(.accepted)
    }

    func scaleFunction(
        _ name: String, _ request: HTTPRequest, _ query: QueryParameters, _ caller: Caller
    ) async throws(AdminRefusal) -> HTTPResponse {
        let body = try FunctionDeployment.object(try await body(of: request))
        guard let replicas = body["replicas"]?.integerValue.flatMap({ Int32(exactly: $0) }),
            (0...rules.replicasMaximum).contains(replicas)
        else { throw AdminRefusal(.badRequest, "replicas: a number from 0 to \(rules.replicasMaximum)") }
        let key = try await key(name, try FunctionDeployment.text(body, "namespace") ?? query["namespace"])
        try await callers.require(.functions("patch", key.namespace, key.name, subresource: "scale"), of: caller)
        var wanted = try await function(key)
        wanted.spec.replicas = replicas
        wanted.spec.suspend = nil
        // What would have no effect is no success.
        guard wanted.desiredReplicas == replicas else {
            throw AdminRefusal(
                .badRequest,
                "the function's range of replicas makes \(wanted.desiredReplicas) of \(replicas); change it by the labels "
                    + "com.openfaas.scale.min, max and zero")
        }
        do {
            let patch = Patch.merge(["spec": ["replicas": .integer(Int64(replicas))]])
            _ = try await api.patch(Function.descriptor, key, patch, subresource: "scale")
        } catch {
            throw AdminRefusal(any: error, Self.name(of: key))
        }
        tell("Function scaled", key, by: caller)
        return HTTPResponse(.accepted)
    }

    /// `GET /system/metrics?function=&window=`: how the calls of a function went.
    func callMetrics(_ query: QueryParameters, _ caller: Caller) async throws(AdminRefusal) -> HTTPResponse {
        guard let name = query["function"] else { throw AdminRefusal(.badRequest, "function: name the function") }
        let key = try await key(name, query["namespace"])
        try await callers.require(.functions("get", key.namespace, key.name), of: caller)
        let text = query["window"] ?? query["metrics_window"] ?? "60m"
        guard let window = Duration(goStyle: text), window >= .seconds(60), window <= calls.windowMaximum else {
            throw AdminRefusal(
                .badRequest, "window: a span of time from 1m to \(calls.windowMaximum.goStyle), such as 15m")
        }
        _ = try await function(key)
        let counts = try await calls.counts(of: Self.label(key), window: window)
        return .json(.ok, ["success": JSONValue(counts.success), "failure": JSONValue(counts.failure)])
    }

    /// What the gateway's metrics call a function.
    private static func label(_ key: ObjectKey) -> String { "\(key.name).\(key.namespace)" }

    // MARK: - Objects

    /// The object that a request means.
    ///
    /// Its name may carry the namespace behind its last dot, as in the addresses of calls, where it is not said otherwise.
    func key(_ name: String, _ namespace: String?) async throws(AdminRefusal) -> ObjectKey {
        var name = name
        var namespace = namespace
        if namespace == nil, let dot = name.lastIndex(of: ".") {
            namespace = String(name[name.index(after: dot)...])
            name = String(name[..<dot])
        }
        let resolved = try await namespaces.resolve(namespace)
        guard DNSName.isSubdomain(name) else { throw AdminRefusal(.notFound, "there is no function of this name") }
        return ObjectKey(namespace: resolved, name: name)
    }

    /// Reads a Function.
    ///
    /// - Throws: ``AdminRefusal``: 404 also while it is being deleted.
    func function(_ key: ObjectKey) async throws(AdminRefusal) -> Function {
        let function: Function
        do {
            function = try await api.get(Function.self, key)
        } catch {
            throw AdminRefusal(any: error, Self.name(of: key))
        }
        guard !function.metadata.isBeingDeleted else {
            throw AdminRefusal(.notFound, "there is no \(Self.name(of: key)): it is being removed")
        }
        return function
    }

    /// Reads a Function that clients may change.
    private func changeable(_ key: ObjectKey) async throws(AdminRefusal) -> Function {
        let function = try await function(key)
        if let trouble = FunctionOwnership.trouble(with: function) { throw AdminRefusal(.conflict, trouble) }
        return function
    }

    private static func name(of key: ObjectKey) -> String { "function \(key.name) in namespace \(key.namespace)" }

    /// OpenFaaS' command line takes nothing but 200 and 202 for success.
    private static func accepted(_ notes: [String]) -> HTTPResponse {
        notes.isEmpty ? HTTPResponse(.accepted) : .text(.accepted, notes.map { $0 + "\n" }.joined())
    }
}

extension AccessReview.Wish {
    /// To do something to Functions.
    static func functions(
        _ verb: String, _ namespace: String, _ name: String? = nil, subresource: String? = nil
    ) -> Self {
        AccessReview.Wish(
            verb, group: FareboxLabel.group, resource: Function.descriptor.plural, subresource: subresource,
            namespace: namespace, name: name)
    }
}
