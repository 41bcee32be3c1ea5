import Commands
import HTTP
import KubernetesClient

/// How a builder is reached.
protocol BuilderPlace: Sendable {
    /// What messages call it.
    var name: String { get }

    /// Sends a request and returns when the head of the answer is there.
    ///
    /// - Parameters:
    ///   - path: Begins with a slash.
    ///   - file: What to send; nothing when nil.
    /// - Throws: `HTTPClientError`, `KubernetesError`, `CancellationError`.
    func send(
        _ method: HTTPMethod, _ path: String, _ headers: HTTPHeaders, file: String?
    ) async throws -> HTTPClientStream
}

/// The limits of an exchange with a builder.
private enum BuilderLimit {
    /// A build's context has to go up first: 128 MiB over 2 Mbit/s.
    static let head = Duration.seconds(600)
    /// A builder says something at least twice a minute, be it that there is nothing to say.
    static let silence = Duration.seconds(180)
}

/// A builder with a URL of its own: Farebox's, or any that speaks the Function Builder API.
struct AddressedBuilder: BuilderPlace {
    /// The URL without a slash at its end.
    let url: String
    private let client: HTTPClient

    var name: String { url }

    /// Makes a place.
    ///
    /// - Parameters:
    ///   - text: `http` or `https`; a path at its end is kept, and `/build` comes behind.
    /// - Throws: `UsageError` for anything else.
    ///   - authorities: Whom to trust, in PEM; the system's certificate authorities when nil.
    init(_ text: String, authorities: String? = nil) throws(UsageError) {
        var url = Substring(text)
        while url.hasSuffix("/") { url.removeLast() }
        if url.hasSuffix("/build") { url.removeLast("/build".count) }
        guard url.hasPrefix("http://") || url.hasPrefix("https://"), !url.contains("?"), !url.contains("@") else {
            throw UsageError("the builder '\(text.prefix(200))' must be a URL such as http://127.0.0.1:8081")
        }
        self.url = String(url)
        client = HTTPClient(
            configuration: HTTPClientConfiguration(tls: TLSIdentity(authorities: authorities.map { Array($0.utf8) })))
    }

    func send(
        _ method: HTTPMethod, _ path: String, _ headers: HTTPHeaders, file: String?
    ) async throws
        -> HTTPClientStream
    {
        var request = HTTPClientRequest(method, url: url + path, headers: headers)
        if let file { request.body = .file(path: file) }
        request.timeout = nil
        request.headTimeout = BuilderLimit.head
        request.idleTimeout = BuilderLimit.silence
        return try await client.stream(request)
    }
}

/// The cluster's own builder, reached through the API server with the rights of whoever asks.
struct ClusterBuilder: BuilderPlace {
    /// The builder's Service.
    static let service = "farebox-builder"
    /// The Service's port for builds.
    static let port = "builds"

    let client: Client

    var name: String { "the cluster's builder" }

    func send(
        _ method: HTTPMethod, _ path: String, _ headers: HTTPHeaders, file: String?
    ) async throws
        -> HTTPClientStream
    {
        var request = ForwardedRequest(
            method, namespace: Cluster.systemNamespace, service: Self.service, port: Self.port, target: path,
            headers: headers, headTimeout: BuilderLimit.head, idleTimeout: BuilderLimit.silence)
        if let file { request.body = .file(path: file) }
        return try await client.forward(request)
    }
}
