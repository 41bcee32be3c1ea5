import CRDs
import HTTP

extension RegistryClient {
    /// Removes a manifest, and with it every tag that names it (OCI distribution specification 1.1, "Deleting Manifests").
    ///
    /// Its layers go when the registry next collects garbage. A manifest that is gone already is a success.
    ///
    /// - Parameters:
    ///   - image: Its name with a digest.
    ///   - credentials: The logins to use where the registry asks for one.
    /// - Throws: ``RegistryError``: `denied` also where the registry deletes nothing at all; `CancellationError`.
    public func remove(_ image: ImageReference, credentials: RegistryCredentials) async throws {
        guard image.digest != nil else { throw RegistryError.unusable(image, "it must be named by its digest") }
        var response = try await askToRemove(image, authorization: nil)
        if response.status == .unauthorized {
            let authorization = try await authorization(
                for: response, image: image, login: credentials.login(for: image), actions: "delete,pull")
            response = try await askToRemove(image, authorization: authorization)
        }
        switch response.status.code {
        case 200...299, 404: return
        case 401, 403, 405: throw RegistryError.denied(image)
        case 429, 500...599: throw RegistryError.unreachable(image.registry, "it answered \(response.status)")
        default: throw RegistryError.unusable(image, "the registry answered \(response.status)")
        }
    }

    private func askToRemove(_ image: ImageReference, authorization: String?) async throws -> HTTPClientResponse {
        let url = "\(origin(of: image.registry))/v2/\(image.repository)/manifests/\(image.digest ?? "")"
        var headers = HTTPHeaders()
        if let authorization { headers.set("Authorization", authorization) }
        return try await send(
            HTTPClientRequest(
                .delete, url: url, headers: headers, timeout: configuration.timeout, responseBytesMaximum: 1 << 20),
            registry: image.registry)
    }
}
