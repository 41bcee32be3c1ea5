import Builds
import ClusterAccess
import HTTP
import JSON
import KubernetesClient
import KubernetesTypes
import Telemetry

/// Answers OpenFaaS' REST API: `/system/…` and `/healthz`.
///
/// What it does, it does to Function objects, to Secrets that are marked as functions', and to nothing else. Who may do
/// what is the API server's to say, except for the one who has the name and the password.
struct AdminHandler: HTTPHandler {
    let api: any KubernetesAPI
    let callers: CallerDesk
    let namespaces: FunctionNamespaces
    let functionLogs: FunctionLogSource
    let calls: CallStatistics
    let rules: StackRules
    /// Of Farebox, for `/system/info`.
    let version: String
    let metrics: AdminMetrics
    let logger = Logger(label: "admin")

    func handle(_ request: HTTPRequest) async -> HTTPResponse {
        let route = AdminRoute(path: request.path)
        var response: HTTPResponse
        do throws(AdminRefusal) {
            response = try await answer(route, request)
        } catch {
            response = error.response
        }
        metrics.count(route, response.status)
        response.headers.set("Cache-Control", "no-store")
        response.headers.set("X-Content-Type-Options", "nosniff")
        return response
    }

    private func answer(_ route: AdminRoute?, _ request: HTTPRequest) async throws(AdminRefusal) -> HTTPResponse {
        guard let route else { throw AdminRefusal(.notFound, "there is nothing at this path") }
        // The server leaves out the content of what HEAD is answered.
        let method = request.method == .head ? .get : request.method
        guard route.methods.contains(method) else {
            var response = AdminRefusal(.methodNotAllowed, "the method is not allowed here").response
            response.headers.set("Allow", route.methods.map(\.rawValue).joined(separator: ", "))
            return response
        }
        if route == .health { return .text(.ok, "OK") }
        guard !CrossSite.isForged(request) else {
            metrics.refused.labels("cross_site").increment()
            throw AdminRefusal(.forbidden, "a page of another site may not do this")
        }
        let caller = try await callers.caller(of: request)
        let query = try QueryParameters(request.query)
        switch (route, method) {
        case (.health, _): return .text(.ok, "OK")
        case (.info, _): return info
        case (.functions, .get): return try await listFunctions(query, caller)
        case (.functions, .post): return try await createFunction(request, query, caller)
        case (.functions, .put): return try await updateFunction(request, query, caller)
        case (.functions, _): return try await deleteFunction(request, query, caller)
        case (.function(let name), _): return try await describeFunction(name, query, caller)
        case (.scale(let name), _): return try await scaleFunction(name, request, query, caller)
        case (.logs, _): return try await logs(query, caller)
        case (.secrets, .get): return try await listSecrets(query, caller)
        case (.secrets, .post): return try await createSecret(request, query, caller)
        case (.secrets, .put): return try await updateSecret(request, query, caller)
        case (.secrets, _): return try await deleteSecret(request, query, caller)
        case (.namespaces, _): return .json(.ok, .array(try await namespaces.all().map { .string($0) }))
        case (.namespace(let name), .get): return try await describeNamespace(name)
        case (.namespace, _): throw AdminRefusal(.notImplemented, Self.namespacesAreTheAdministrators)
        case (.metrics, _): return try await callMetrics(query, caller)
        }
    }

    /// A request's content.
    ///
    /// - Throws: ``AdminRefusal`` when it is too large or breaks off.
    func body(of request: HTTPRequest) async throws(AdminRefusal) -> [UInt8] {
        do {
            return try await request.body.collect(maximumBytes: FunctionDeployment.bytesMaximum)
        } catch HTTPBodyError.tooLarge {
            throw AdminRefusal(.contentTooLarge, "the body is larger than \(FunctionDeployment.bytesMaximum) bytes")
        } catch {
            throw AdminRefusal(.badRequest, "the body ended too early")
        }
    }

    /// Says who did what.
    func tell(_ message: StaticString, _ key: ObjectKey, by caller: Caller) {
        logger.info(message, ["by": caller.name, "namespace": key.namespace, "name": key.name])
    }

    // MARK: - What there is

    /// Every object in it is there: OpenFaaS' command line looks into them without asking.
    private var info: HTTPResponse {
        .json(
            .ok,
            [
                "provider": [
                    "provider": "farebox", "name": "farebox", "orchestration": "kubernetes",
                    "version": ["release": .string(version), "sha": "", "commit_message": ""],
                ],
                "version": ["release": .string(version), "sha": "", "commit_message": ""],
                "arch": .string(Self.architecture),
            ])
    }

    private static let namespacesAreTheAdministrators =
        "namespaces are the administrator's to make and to remove: kubectl create namespace NAME, kubectl label namespace NAME "
        + "farebox.dev/functions=true"

    private func describeNamespace(_ name: String) async throws(AdminRefusal) -> HTTPResponse {
        guard try await namespaces.all().contains(name) else {
            throw AdminRefusal(.notFound, "there is no namespace \(name) for functions")
        }
        return .json(.ok, ["name": .string(name), "labels": [:], "annotations": ["openfaas": "1"]])
    }

    #if arch(arm64)
        private static let architecture = "arm64"
    #else
        private static let architecture = "x86_64"
    #endif
}
