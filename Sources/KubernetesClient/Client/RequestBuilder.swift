import HTTP
import JSON
import KubernetesTypes

/// Turns API requests into HTTP requests.
struct RequestBuilder: Sendable {
    /// Scheme, authority and path prefix that every URL begins with.
    private let base: String
    /// The `Host` to send when the URL carries another name for TLS' sake.
    private let host: String?
    private let userAgent: String
    private let impersonation: [(String, String)]
    private let acceptsCompression: Bool
    private let usesTLS: Bool
    private let timeout: Duration

    init(_ configuration: ClientConfiguration) throws {
        guard let server = ServerURL(configuration.server) else {
            throw KubernetesError.configuration("'\(configuration.server)' is not an http or https URL")
        }
        if let name = configuration.tlsServerName, configuration.usesTLS {
            // libcurl verifies the name in the URL and connects elsewhere when told to.
            base = "\(server.scheme)://\(name)\(server.portSuffix)\(server.path)"
            host = server.authority
        } else {
            base = configuration.server
            host = nil
        }
        userAgent = configuration.userAgent
        impersonation = configuration.impersonation?.headers ?? []
        acceptsCompression = !configuration.disablesCompression && !server.isLoopback
        usesTLS = configuration.usesTLS
        timeout = configuration.requestTimeout
    }

    /// The largest answer to a unary request: some 50 000 objects of a few kilobytes.
    static let answerBytesMaximum = 256 << 20

    /// Returns the request for an answer in one piece.
    func unary(_ request: APIRequest, _ credential: RequestCredential) -> HTTPClientRequest {
        var built = common(request, credential)
        built.timeout = timeout
        // Also while it waits for a connection, which libcurl's own limit may leave out.
        built.headTimeout = timeout
        built.responseBytesMaximum = Self.answerBytesMaximum
        built.acceptsCompression = acceptsCompression && (request.verb == .get || request.verb == .list)
        return built
    }

    /// Returns the request for an answer that is read piece by piece.
    func streaming(_ request: APIRequest, _ credential: RequestCredential) -> HTTPClientRequest {
        var built = common(request, credential)
        built.timeout = nil
        built.headTimeout = timeout
        built.idleTimeout = request.silenceMaximum
        return built
    }

    /// Returns the request that the API server passes on to a Service.
    ///
    /// - Throws: `KubernetesError.invalidRequest`.
    func forwarding(_ request: ForwardedRequest, _ credential: RequestCredential) throws -> HTTPClientRequest {
        var headers = HTTPHeaders()
        for field in request.headers.fields where !Self.isOurs(field.name) { headers.add(field.name, field.value) }
        identify(&headers, credential)
        return HTTPClientRequest(
            request.method, url: base + (try request.path()), headers: headers, body: request.body, timeout: nil,
            headTimeout: request.headTimeout, idleTimeout: request.idleTimeout)
    }

    /// The fields that concern the API server and nobody behind it.
    private static func isOurs(_ name: String) -> Bool {
        let name = name.lowercased()
        return ["authorization", "host", "user-agent"].contains(name) || name.hasPrefix("impersonate-")
    }

    /// Says who we are.
    private func identify(_ headers: inout HTTPHeaders, _ credential: RequestCredential) {
        headers.add("User-Agent", userAgent)
        if let host { headers.add("Host", host) }
        // Without TLS anybody on the way could read the credential, so it stays here (client-go does the same).
        if usesTLS, let authorization = credential.authorization {
            headers.add("Authorization", authorization.value)
        }
        for (name, value) in impersonation { headers.add(name, value) }
    }

    private func common(_ request: APIRequest, _ credential: RequestCredential) -> HTTPClientRequest {
        var headers = HTTPHeaders()
        headers.add("Accept", Self.accepted(request))
        identify(&headers, credential)
        var built = HTTPClientRequest(request.verb.method, url: base + request.path + query(request), headers: headers)
        if let body = request.body {
            built.headers.add("Content-Type", request.verb.contentType)
            built.body = .bytes(JSONWriter().write(body))
        }
        return built
    }

    private static func accepted(_ request: APIRequest) -> String {
        if request.subresource == "log" { return "*/*" }
        guard request.wantsMetadataOnly else { return "application/json" }
        let kind = request.verb == .list ? "PartialObjectMetadataList" : "PartialObjectMetadata"
        return "application/json;as=\(kind);v=v1;g=meta.k8s.io"
    }

    private func query(_ request: APIRequest) -> String {
        guard !request.query.isEmpty else { return "" }
        let items = request.query.map { "\(PercentEncoding.encode($0.name))=\(PercentEncoding.encode($0.value))" }
        return "?" + items.joined(separator: "&")
    }
}

extension APIVerb {
    /// The HTTP method.
    var method: HTTPMethod {
        switch self {
        case .get, .list, .watch: .get
        case .create: .post
        case .update: .put
        case .mergePatch, .jsonPatch, .apply: .patch
        case .delete, .deleteCollection: .delete
        }
    }

    /// The media type of the body.
    var contentType: String {
        switch self {
        case .mergePatch: "application/merge-patch+json"
        case .jsonPatch: "application/json-patch+json"
        case .apply: "application/apply-patch+yaml"  // JSON is YAML; older servers know no other name.
        default: "application/json"
        }
    }
}
