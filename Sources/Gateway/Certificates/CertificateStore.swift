import KubernetesTypes
import Synchronization
import TLS
import Telemetry

/// All certificates that callers can be shown: those of a mounted folder, then those of Secrets that are watched.
///
/// A change is taken up by the next handshake, which asks ``update(_:at:)``; nothing polls.
final class CertificateStore: Sendable {
    private struct State {
        var ofFolder: [CertificateIdentity] = []
        var ofSecrets = SecretCertificates()
        var hasChanged = true
    }

    private let folder: CertificateFolder
    private let expiries: GaugeFamily
    private let refusals: Counter
    private let state = Mutex(State())
    private let logger = Logger(label: "gateway.tls")

    /// - Parameters:
    ///   - path: The folder's path; nothing is read yet.
    ///   - registry: Gets the metrics.
    init(folder path: String, registry: MetricsRegistry) {
        let expiries = registry.gauge(
            "farebox_gateway_certificate_expiry_timestamp_seconds",
            "When each certificate ends, in seconds since 1970; by its folder, or its Secret's namespace and name.",
            labels: ["folder"])
        self.expiries = expiries
        refusals = registry.counter(
            "farebox_gateway_certificates_refused_total", "Secrets whose certificate and key could not be used."
        ).labels()
        folder = CertificateFolder(path: path, expiries: expiries)
    }

    /// Hands over all certificates when they are others than at the last call.
    ///
    /// - Parameters:
    ///   - second: Of a clock that never goes back.
    ///   - show: Gets them; called within a lock, so that of two handshakes at once the later one's last.
    func update(at second: Int = CertificateFolder.now, _ show: (CertificateIndex) -> Void) {
        state.withLock { state in
            if let identities = folder.changed(at: second) {
                state.ofFolder = identities
                state.hasChanged = true
            }
            guard state.hasChanged else { return }
            state.hasChanged = false
            // The folder's own goes first: it is what callers get that ask for a name nobody has.
            let index = CertificateIndex(state.ofFolder + state.ofSecrets.identities)
            if index.isEmpty { logger.warning("There is no certificate: clients cannot connect by TLS") }
            show(index)
        }
    }

    /// Takes a Secret that is new, changed, or listed once more.
    ///
    /// - Returns: Why its certificate cannot be used, for people; nil when it can, or was told of before.
    func put(_ secret: Secret) -> String? {
        let (certificate, key) = (secret[CertificateFolder.certificateName], secret[CertificateFolder.keyName])
        let outcome = state.withLock { state in
            let outcome = state.ofSecrets.put(secret.metadata.name, certificate: certificate, key: key)
            if case .taken = outcome { state.hasChanged = true }
            return outcome
        }
        switch outcome {
        case .unchanged: return nil
        case .taken(let identity):
            expiries.labels("\(secret.key)").set(Double(identity.expiresAt))
            logger.info(
                "Certificate read",
                [
                    "secret": secret.key, "names": identity.names.joined(separator: " "),
                    "expiresAt": identity.expiresAt,
                ])
            return nil
        case .refused(let refusal, let formerStays):
            refusals.increment()
            let fate = formerStays ? "; the one before it stays" : ""
            logger.error(
                "A certificate cannot be used",
                ["secret": secret.key, "error": "\(refusal)", "formerStays": formerStays])
            return "The certificate cannot be used: \(refusal)\(fate)"
        }
    }

    /// Forgets the certificate of a Secret that is gone.
    func remove(_ key: ObjectKey) {
        let wasShown = state.withLock { state in
            let wasShown = state.ofSecrets.remove(key.name)
            state.hasChanged = state.hasChanged || wasShown
            return wasShown
        }
        expiries.remove("\(key)")
        if wasShown { logger.info("Certificate gone", ["secret": key]) }
    }
}
