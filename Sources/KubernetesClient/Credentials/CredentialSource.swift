/// What is sent with a request to prove who we are.
struct RequestCredential: Sendable {
    /// The value of the `Authorization` field, if any.
    var authorization: SecretText?
    /// A certificate and key in PEM that a plugin handed out.
    var identity: PEMIdentity?
    /// Changes whenever the credential does.
    var generation = 0
}

/// A certificate and its key in PEM.
struct PEMIdentity: Sendable, Hashable {
    var certificate: [UInt8]
    var key: [UInt8]
}

/// Where the credential of a request comes from.
protocol CredentialSource: Sendable {
    /// Returns the credential to use now, fetching a new one when needed.
    ///
    /// - Throws: ``KubernetesError/configuration(_:)``.
    func current() async throws -> RequestCredential

    /// Takes note that the server refused a credential (401).
    ///
    /// - Parameters:
    ///   - credential: The one that was refused.
    ///   - start: When the request was begun that carried it.
    func reject(_ credential: RequestCredential, sentAt start: ContinuousClock.Instant) async
}

/// A credential that never changes.
struct FixedCredential: CredentialSource {
    let credential: RequestCredential

    init(authorization: SecretText?) {
        credential = RequestCredential(authorization: authorization)
    }

    func current() async throws -> RequestCredential { credential }

    func reject(_ credential: RequestCredential, sentAt start: ContinuousClock.Instant) async {}
}
