import CRDs
import ControllerRuntime
import KubernetesTypes
import Telemetry

/// Keeps the namespace of builds ready: the fence around it, and the registry's password as it is now.
///
/// The Function Builder API makes build Jobs as well, which no Repository's build may come before.
enum BuildNamespace {
    /// What is missing is somebody's to make, and nothing tells when that is done.
    private static let retryInterval = Duration.seconds(10)

    /// Adds it to the work of the leader.
    ///
    /// - Parameter password: The Secret with the registry's password; nil when there is none.
    static func install(in manager: Manager, office: BuildOffice, password: SecretReference?) {
        let (changes, teller) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        if let password {
            let scope = InformerScope(namespace: password.namespace, fieldSelector: "metadata.name=\(password.name)")
            manager.informers.informer(Secret.self, scope: scope).addHandler { _ in teller.yield() }
        }
        manager.addRunnable("namespace of builds", needsLeadership: true) {
            await prepare(office)
            for await _ in changes { await prepare(office) }
        }
    }

    private static func prepare(_ office: BuildOffice) async {
        while !Task.isCancelled {
            do {
                try await office.prepareNamespace()
                return
            } catch {
                Logger(label: "repository").warning(
                    "The namespace of builds cannot be prepared", ["error": "\(error)"])
                // The namespace or the Secret is missing, or the API server away: nobody tells when that is over.
                try? await Task.sleep(for: retryInterval)
            }
        }
    }
}
