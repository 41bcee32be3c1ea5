import ControllerRuntime
import Glibc
import KubernetesClient
import KubernetesTypes
import Telemetry

/// Watches the Secrets of the type `kubernetes.io/tls` in one namespace, for a store of certificates.
///
/// The gateway serves without it: where the namespace or the right to read it is missing, that is told in the log and tried
/// again, and what was known stays.
struct CertificateWatch: Sendable {
    private let informers: SharedInformers
    private let recorder: EventRecorder
    private let namespace: String

    /// How long the gateway's start waits for the first list.
    static let syncLimit: Duration = .seconds(10)
    private static let selector = "type=kubernetes.io/tls"

    /// Prepares the watch; nothing is asked yet.
    init(api: any KubernetesAPI, namespace: String, store: CertificateStore) {
        self.namespace = namespace
        let informers = SharedInformers(api: api)
        let recorder = EventRecorder(api: api, controller: "farebox.dev/gateway", instance: Self.host)
        (self.informers, self.recorder) = (informers, recorder)
        // The keys are in OpenSSL's hands once they are read: no Secret is kept.
        informers.follow(Secret.self, scope: InformerScope(namespace: namespace, fieldSelector: Self.selector)) {
            change in
            switch change {
            case .stored(let secret):
                guard let trouble = store.put(secret) else { return }
                recorder.record(
                    on: secret, type: .warning, reason: "CertificateRefused", action: "ReadCertificate", note: trouble)
            case .removed(let key): store.remove(key)
            }
        }
    }

    /// Watches until the task is cancelled.
    func run() async {
        informers.start()
        await recorder.run()
        await informers.stop()
    }

    /// Waits until the first list was read, so that the first caller gets the right certificate.
    func waitForSync() async throws {
        do {
            try await informers.waitForSync(within: Self.syncLimit)
        } catch let error as InformersNotSynced {
            Logger(label: "gateway.tls").warning(
                "The certificates of Secrets are not known yet", ["namespace": namespace, "error": "\(error)"])
        }
    }

    /// The pod's name, by which events say who reports.
    private static var host: String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "farebox-gateway" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
