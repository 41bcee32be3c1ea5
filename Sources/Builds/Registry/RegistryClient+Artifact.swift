import CRDs
import Cryptography
import HTTP
import JSON

extension RegistryClient {
    /// What an artifact may be made of.
    public struct ArtifactLimits: Sendable {
        /// So many layers.
        public var layersMaximum = 16
        /// Bytes of one layer as it is stored.
        public var layerBytesMaximum = 8 << 20

        /// Makes the default limits.
        public init() {}
    }

    /// The endings of the media types of layers that are tar archives, plain or by gzip.
    private static let archiveTypes = [".tar", ".tar+gzip", ".tar.gzip"]
    /// Registries send to their storage; that may send on.
    private static let redirectsMaximum = 3

    /// Fetches the layers of an artifact (OCI image specification 1.1, "Guidelines for Artifact Usage").
    ///
    /// Manifest and layers are believed only when they have the digests they were asked for by, so that mirrors, storage and the
    /// way there need no trust.
    ///
    /// - Parameters:
    ///   - image: Its name with a digest: that of a manifest, not of an index.
    ///   - credentials: The logins to use where a registry asks for one.
    ///   - limits: What it may be made of.
    /// - Returns: The layers' bytes in their order.
    /// - Throws: ``RegistryError``; `CancellationError`.
    public func artifact(
        _ image: ImageReference, credentials: RegistryCredentials, limits: ArtifactLimits = ArtifactLimits()
    ) async throws -> [[UInt8]] {
        guard let digest = image.digest else { throw RegistryError.unusable(image, "it must be named by its digest") }
        var exchange = Exchange(image: image, login: credentials.login(for: image))
        let manifest = try await fetch(
            "manifests/\(digest)", accept: Self.manifestTypes.joined(separator: ", "), digest: digest,
            bytesMaximum: Self.manifestBytesMaximum, &exchange)
        var result: [[UInt8]] = []
        for layer in try Self.layers(of: manifest, image, limits) {
            result.append(
                try await fetch(
                    "blobs/\(layer.digest)", accept: "*/*", digest: layer.digest, bytesMaximum: layer.bytes, &exchange))
        }
        return result
    }

    /// One image's requests: what was learnt about its registry's demands.
    struct Exchange {
        let image: ImageReference
        let login: RegistryCredentials.Login?
        var authorization: String?
    }

    private static func layers(
        of manifest: [UInt8], _ image: ImageReference, _ limits: ArtifactLimits
    ) throws(RegistryError) -> [(digest: String, bytes: Int)] {
        let reader = JSONReader(limits: JSONReader.Limits(bytesMaximum: manifestBytesMaximum, depthMaximum: 32))
        guard let root = try? reader.parse(manifest) else { throw .unusable(image, "its manifest is not JSON") }
        guard root["manifests"] == nil else {
            throw .unusable(image, "this is an index of several manifests; name the digest of one of them")
        }
        guard let layers = root["layers"]?.arrayValue, !layers.isEmpty else {
            throw .unusable(image, "its manifest has no layers")
        }
        guard layers.count <= limits.layersMaximum else {
            throw .unusable(image, "it has more than \(limits.layersMaximum) layers")
        }
        var result: [(digest: String, bytes: Int)] = []
        for layer in layers {
            let type = layer["mediaType"]?.stringValue ?? ""
            guard archiveTypes.contains(where: { type.hasSuffix($0) }) else {
                throw .unusable(image, "a layer has the type '\(type.prefix(100))', which is no tar archive")
            }
            guard let digest = layer["digest"]?.stringValue, ImageReference.isDigest(digest),
                let size = layer["size"]?.integerValue, size >= 0
            else { throw .unusable(image, "a layer has no SHA-256 digest or no size") }
            guard size <= Int64(limits.layerBytesMaximum) else {
                throw .unusable(image, "a layer has more than \(limits.layerBytesMaximum >> 20) MiB")
            }
            result.append((digest, Int(size)))
        }
        return result
    }

    private func fetch(
        _ path: String, accept: String, digest: String, bytesMaximum: Int, _ exchange: inout Exchange
    ) async throws -> [UInt8] {
        let image = exchange.image
        var url = "\(origin(of: image.registry))/v2/\(image.repository)/\(path)"
        let own = Self.origin(in: url)
        var redirects = 0
        while true {
            var headers = HTTPHeaders([("Accept", accept)])
            // A password is for the registry alone, not for the storage it sends us to.
            let isOwn = Self.origin(in: url) == own
            if isOwn, let authorization = exchange.authorization { headers.set("Authorization", authorization) }
            let response = try await send(
                HTTPClientRequest(
                    .get, url: url, headers: headers, timeout: .seconds(60), responseBytesMaximum: bytesMaximum),
                registry: image.registry)
            switch response.status.code {
            case 200:
                guard SHA256.hash(of: response.body).prefixed == digest else {
                    throw RegistryError.unusable(image, "the registry sent something else than \(digest)")
                }
                return response.body
            case 401 where isOwn && exchange.authorization == nil:
                exchange.authorization = try await authorization(for: response, image: image, login: exchange.login)
            case 301, 302, 303, 307, 308:
                redirects += 1
                guard redirects <= Self.redirectsMaximum,
                    let next = Self.target(of: response.headers["Location"] ?? "", from: url)
                else { throw RegistryError.unusable(image, "the registry redirects in a way that is not followed") }
                guard next.hasPrefix("https://") || configuration.insecureRegistries.contains(image.registry) else {
                    throw RegistryError.unusable(image, "the registry redirects to plain http")
                }
                url = next
            case 401, 403: throw RegistryError.denied(image)
            case 404: throw RegistryError.notFound(image)
            case 429, 500...599:
                throw RegistryError.unreachable(image.registry, "it answered \(response.status)")
            default: throw RegistryError.unusable(image, "the registry answered \(response.status)")
            }
        }
    }

    /// Scheme, host and port.
    private static func origin(in url: String) -> Substring {
        let start = url.firstRange(of: "://")?.upperBound ?? url.startIndex
        return url[..<(url[start...].firstIndex(of: "/") ?? url.endIndex)]
    }

    /// Where a redirect leads: an absolute URL, or a path on the same host.
    private static func target(of location: String, from url: String) -> String? {
        if location.hasPrefix("https://") || location.hasPrefix("http://") { return location }
        guard location.hasPrefix("/"), !location.hasPrefix("//") else { return nil }
        return origin(in: url) + location
    }
}
