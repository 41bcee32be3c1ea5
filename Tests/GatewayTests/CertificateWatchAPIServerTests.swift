import Cryptography
import JSON
import KubernetesClient
import KubernetesTypes
import MemoryCluster
import OpenSSLTool
import Synchronization
import TLS
import Telemetry
import Testing

@testable import Gateway

@Suite(
    "Certificates of Secrets on a real API server", .enabled(if: APIServer.kubeconfig != nil, "\(APIServer.remedy)"),
    .timeLimit(.minutes(10)))
struct CertificateWatchAPIServerTests {
    /// The names that are shown for a name, as handshakes would learn it.
    private final class Shown: Sendable {
        private let store: CertificateStore
        private let index = Mutex(CertificateIndex())

        init(_ store: CertificateStore) { self.store = store }

        func names(for name: String) -> [String] {
            store.update { found in index.withLock { $0 = found } }
            return index.withLock { $0.identity(for: name)?.names } ?? []
        }

        /// Waits until other names are shown for a name.
        func become(_ names: [String], for name: String) async throws -> Bool {
            let end = ContinuousClock.now + .seconds(60)
            while self.names(for: name) != names, ContinuousClock.now < end {
                // A change comes by the watch; nothing tells the test when.
                try await ContinuousClock().sleep(for: .milliseconds(20))
            }
            return self.names(for: name) == names
        }
    }

    private func secret(_ key: ObjectKey, _ names: [String], type: String = "kubernetes.io/tls") throws -> Secret {
        let pair = try OpenSSLProgram.with { openssl in try openssl.certificate(for: names.map { "DNS:" + $0 }) }
        return Secret(
            metadata: ObjectMeta(name: key.name, namespace: key.namespace), type: type,
            data: ["tls.crt": Base64Bytes(pair.certificate), "tls.key": Base64Bytes(pair.key)])
    }

    @Test("Come when they are applied, change and go with their Secrets, and tell by an event what is wrong with them")
    func lifecycle() async throws {
        let api = try await APIServer.client
        let namespace = "certificates-\(UInt32.random(in: .min ... .max))"
        _ = try await api.create(Namespace(metadata: ObjectMeta(name: namespace)))
        let key = ObjectKey(namespace: namespace, name: "shop")
        _ = try await api.create(try secret(key, ["a.example"]))
        let store = CertificateStore(folder: "/nonexistent", registry: MetricsRegistry())
        let watch = CertificateWatch(api: api, namespace: namespace, store: store)
        let running = Task { await watch.run() }
        let shown = Shown(store)

        try await watch.waitForSync()
        let atStart = shown.names(for: "a.example")
        // A Secret of another type is none of the gateway's business, whatever is in it.
        _ = try await api.create(
            try secret(ObjectKey(namespace: namespace, name: "opaque"), ["o.example"], type: "Opaque"))
        _ = try await api.create(try secret(ObjectKey(namespace: namespace, name: "more"), ["b.example"]))
        let hasCome = try await shown.become(["b.example"], for: "b.example")
        let opaque = shown.names(for: "o.example")
        let breaking = Patch.merge(["data": ["tls.key": "bm9uc2Vuc2U="]])
        _ = try await api.patch(Secret.descriptor, key, breaking)
        let event = try await event(api, namespace, regarding: "shop")
        let whenBroken = shown.names(for: "a.example")
        let renewed = try secret(key, ["c.example"])
        _ = try await api.patch(
            Secret.descriptor, key,
            .merge([
                "data": .object([
                    "tls.crt": .string(Base64.encode(renewed["tls.crt"] ?? [])),
                    "tls.key": .string(Base64.encode(renewed["tls.key"] ?? [])),
                ])
            ]))
        let isRenewed = try await shown.become(["c.example"], for: "c.example")
        try await api.delete(Secret.self, key)
        let isGone = try await shown.become(["b.example"], for: "c.example")

        #expect(atStart == ["a.example"])
        #expect(hasCome && isRenewed && isGone)
        #expect(opaque != ["o.example"])
        #expect(event?.contains("the key is no PEM with one unencrypted private key; the one before it stays") == true)
        #expect(whenBroken == ["a.example"])
        running.cancel()
        await running.value
        try await api.delete(Namespace.self, ObjectKey(name: namespace))
    }

    /// The note of the event about a Secret, once there is one.
    private func event(_ api: any KubernetesAPI, _ namespace: String, regarding name: String) async throws -> String? {
        let end = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < end {
            let events = try await api.list(Event.self, namespace: namespace).items
            if let event = events.first(where: { $0.regarding?.name == name }) { return event.note }
            // Nothing tells the test when it is written.
            try await ContinuousClock().sleep(for: .milliseconds(50))
        }
        return nil
    }

    @Test("Keep nobody from starting where the namespace is not there")
    func absent() async throws {
        let api = try await APIServer.client
        let store = CertificateStore(folder: "/nonexistent", registry: MetricsRegistry())
        let watch = CertificateWatch(api: api, namespace: "certificates-nowhere", store: store)
        let running = Task { await watch.run() }

        try await watch.waitForSync()

        running.cancel()
        await running.value
    }
}
