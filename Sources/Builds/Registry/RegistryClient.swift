import CRDs
import Cryptography
public import HTTP
import JSON

/// Asks registries which content an image's name stands for (OCI distribution specification 1.1, §3.2).
///
/// It sends all four media types that manifests have, and believes no answer of another type: a registry that was not
/// offered the stored type answers 404, or a converted manifest whose digest no pull finds (`facts/buildkit.md` §5).
public final class RegistryClient: Sendable {
    /// How a registry is reached.
    public struct Configuration: Sendable, Equatable {
        /// Registries that speak plain http, as `host:port`.
        public var insecureRegistries: Set<String>
        /// Mirrors that are asked first, by registry.
        public var mirrors: [String: String]
        /// One question may take this long, the token included.
        public var timeout: Duration

        /// Makes a configuration.
        public init(
            insecureRegistries: Set<String> = [], mirrors: [String: String] = [:], timeout: Duration = .seconds(10)
        ) {
            self.insecureRegistries = insecureRegistries
            self.mirrors = mirrors
            self.timeout = timeout
        }
    }

    /// The media types of manifests and indexes, all in one field.
    static let manifestTypes = [
        "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    ]
    /// A manifest is not larger (the limit registries have themselves).
    static let manifestBytesMaximum = 4 << 20

    /// An answer of a token service is not larger.
    private static let tokenBytesMaximum = 1 << 20

    private let client: HTTPClient
    let configuration: Configuration

    /// Makes a client for registries.
    ///
    /// - Parameters:
    ///   - client: Its address policy decides which registries can be reached at all.
    ///   - configuration: Plain http, mirrors, time.
    public init(client: HTTPClient, configuration: Configuration = Configuration()) {
        self.client = client
        self.configuration = configuration
    }

    /// Returns the digest of the manifest or index that a name stands for.
    ///
    /// - Parameters:
    ///   - image: By digest it is confirmed, by tag it is looked up; `latest` when it has neither.
    ///   - credentials: The logins to use where a registry asks for one.
    /// - Returns: `sha256:<hex>`.
    /// - Throws: ``RegistryError``; `CancellationError`.
    public func digest(of image: ImageReference, credentials: RegistryCredentials) async throws -> String {
        if let mirror = configuration.mirrors[image.registry],
            let copy = try? ImageReference(
                registry: mirror, repository: image.repository, tag: image.tag, digest: image.digest),
            let digest = try? await digest(at: copy, credentials: credentials)
        {
            return digest
        }
        try Task.checkCancellation()
        return try await digest(at: image, credentials: credentials)
    }

    private func digest(at image: ImageReference, credentials: RegistryCredentials) async throws -> String {
        let login = credentials.login(for: image)
        var response = try await ask(.head, image, authorization: nil)
        if response.status == .unauthorized {
            let authorization = try await authorization(for: response, image: image, login: login)
            response = try await ask(.head, image, authorization: authorization)
            if response.status == .ok, response.headers["Docker-Content-Digest"] == nil {
                // The specification only recommends the field: read the manifest and count for ourselves.
                response = try await ask(.get, image, authorization: authorization)
            }
        } else if response.status == .ok, response.headers["Docker-Content-Digest"] == nil {
            response = try await ask(.get, image, authorization: nil)
        }
        return try Self.digest(in: response, image: image)
    }

    private static func digest(in response: HTTPClientResponse, image: ImageReference) throws(RegistryError) -> String {
        switch response.status.code {
        case 200: break
        case 401, 403: throw .denied(image)
        case 404: throw .notFound(image)
        case 429, 500...599: throw .unreachable(image.registry, "it answered \(response.status)")
        default: throw .unusable(image, "the registry answered \(response.status)")
        }
        let type = (response.headers["Content-Type"] ?? "").split(separator: ";").first.map(String.init) ?? ""
        guard manifestTypes.contains(type) else {
            throw .unusable(image, "the registry answered with the type '\(type.prefix(100))'")
        }
        let digest = response.headers["Docker-Content-Digest"] ?? SHA256.hash(of: response.body).prefixed
        guard ImageReference.isDigest(digest) else {
            throw .unusable(image, "the registry answered with no SHA-256 digest")
        }
        if let wanted = image.digest, wanted != digest {
            throw .unusable(image, "the registry answered with the other digest \(digest)")
        }
        return digest
    }

    private func ask(
        _ method: HTTPMethod, _ image: ImageReference, authorization: String?
    ) async throws -> HTTPClientResponse {
        let reference = image.digest ?? image.tag ?? "latest"
        let url = "\(origin(of: image.registry))/v2/\(image.repository)/manifests/\(reference)"
        var headers = HTTPHeaders([("Accept", Self.manifestTypes.joined(separator: ", "))])
        if let authorization { headers.set("Authorization", authorization) }
        return try await send(
            HTTPClientRequest(
                method, url: url, headers: headers, timeout: configuration.timeout,
                responseBytesMaximum: Self.manifestBytesMaximum),
            registry: image.registry)
    }

    /// The value to answer a 401 with.
    func authorization(
        for response: HTTPClientResponse, image: ImageReference, login: RegistryCredentials.Login?,
        actions: String = "pull"
    ) async throws -> String {
        let challenges = response.headers.values(for: "WWW-Authenticate").compactMap { RegistryChallenge($0) }
        for case .bearer(let realm, let service, _) in challenges {
            // The registry's own plain-http rule covers where it sends us; a password never goes out in clear otherwise.
            guard realm.hasPrefix("https://") || configuration.insecureRegistries.contains(image.registry) else {
                throw RegistryError.unusable(image, "the registry asks for a token over plain http")
            }
            let scope = "repository:\(image.repository):\(actions)"
            return try await token(realm: realm, service: service, scope: scope, image: image, login: login)
        }
        guard challenges.contains(.basic), let login, login.identityToken == nil else {
            throw RegistryError.denied(image)
        }
        return login.basic
    }

    private func token(
        realm: String, service: String?, scope: String, image: ImageReference, login: RegistryCredentials.Login?
    ) async throws -> String {
        var headers = HTTPHeaders([("Accept", "application/json")])
        var request: HTTPClientRequest
        if let identityToken = login?.identityToken {
            headers.set("Content-Type", "application/x-www-form-urlencoded")
            request = HTTPClientRequest(.post, url: realm, headers: headers)
            request.body = .bytes(
                RegistryChallenge.refreshForm(token: identityToken, service: service, scope: scope))
        } else {
            if let login { headers.set("Authorization", login.basic) }
            request = HTTPClientRequest(
                .get, url: RegistryChallenge.tokenURL(realm: realm, service: service, scope: scope), headers: headers)
        }
        request.timeout = configuration.timeout
        request.responseBytesMaximum = Self.tokenBytesMaximum
        let response = try await send(request, registry: image.registry)
        guard response.status.isSuccess else {
            if response.status.code >= 500 {
                throw RegistryError.unreachable(image.registry, "its token service answered \(response.status)")
            }
            throw RegistryError.denied(image)
        }
        let answer = try? JSONReader().parse(response.body)
        // Old services say `token`, those that follow OAuth 2 `access_token`.
        let token = answer?["token"]?.stringValue ?? answer?["access_token"]?.stringValue
        guard let token, !token.isEmpty, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw RegistryError.unusable(image, "the registry's token service gave no token")
        }
        return "Bearer " + token
    }

    /// Sends a request; a registry that cannot be reached is a ``RegistryError``.
    func send(_ request: HTTPClientRequest, registry: String) async throws -> HTTPClientResponse {
        do {
            return try await client.send(request)
        } catch let error as HTTPClientError {
            throw RegistryError.unreachable(registry, error.description)
        }
    }

    /// Scheme, host and port of a registry; Docker Hub's API has another host than its name.
    func origin(of registry: String) -> String {
        let scheme = configuration.insecureRegistries.contains(registry) ? "http" : "https"
        return scheme + "://" + (registry == "docker.io" ? "registry-1.docker.io" : registry)
    }
}

/// Why a registry told no digest, by what can be done about it.
public enum RegistryError: Error, Equatable, CustomStringConvertible {
    /// There is no such image.
    case notFound(ImageReference)
    /// The registry wants other credentials, or any.
    case denied(ImageReference)
    /// It cannot be reached, or has a fault of its own; trying again may help.
    case unreachable(String, String)
    /// It answered something that cannot be used.
    case unusable(ImageReference, String)

    /// What happened and what to do.
    public var description: String {
        switch self {
        case .notFound(let image): "the registry has no \(image); check its name and tag"
        case .denied(let image): "the registry \(image.registry) refuses to show \(image); check the credentials for it"
        case .unreachable(let registry, let why): "the registry \(registry) cannot be asked: \(why)"
        case .unusable(let image, let why): "\(image): \(why)"
        }
    }

    /// The same for status and events.
    public var failure: BuildFailure {
        switch self {
        case .notFound, .unusable: BuildFailure(.pushFailed, description)
        case .denied: BuildFailure(.registryAuthFailed, description)
        case .unreachable: BuildFailure(.registryUnreachable, description)
        }
    }
}
