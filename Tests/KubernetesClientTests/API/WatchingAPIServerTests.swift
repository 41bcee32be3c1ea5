import JSON
import KubernetesTypes
import Testing

@testable import KubernetesClient

@Suite("Watching a real API server", APIServer.isGiven, .timeLimit(.minutes(10)))
struct WatchingAPIServerTests {
    private func configMap(_ name: String, _ namespace: String, _ data: [String: String] = [:]) -> ConfigMap {
        ConfigMap(metadata: ObjectMeta(name: name, namespace: namespace, labels: ["watched": "yes"]), data: data)
    }

    private func options(from version: String, timeout: Duration = .seconds(600)) -> WatchOptions {
        WatchOptions(resourceVersion: version, labelSelector: "watched=yes", timeout: timeout)
    }

    @Test("Changes arrive in order, of any size, from the version that was listed")
    func follows() async throws {
        let client = try APIServer.client()
        try await APIServer.withNamespace(client) { namespace in
            let list = try await client.list(ConfigMap.self, namespace: namespace)
            let stream = try await client.watch(
                ConfigMap.self, namespace: namespace, options: options(from: list.metadata.resourceVersion))
            let megabyte = String(repeating: "0123456789abcdef", count: 60_000)

            let created = try await client.create(configMap("a", namespace))
            _ = try await client.patch(ConfigMap.self, created.key, .merge(["data": ["big": .string(megabyte)]]))
            try await client.delete(ConfigMap.self, created.key)

            var seen: [String] = []
            while seen.count < 3, let batch = try await stream.next() {
                for raw in batch {
                    switch try raw.decode(ConfigMap.self) {
                    case .added(let object): seen.append("added \(object.metadata.name)")
                    case .modified(let object): seen.append("modified \(object.data["big"]?.utf8.count ?? 0)")
                    case .deleted(let object): seen.append("deleted \(object.metadata.name)")
                    case .bookmark: break
                    case .error, .unknown: seen.append("unexpected")
                    }
                }
            }
            #expect(seen == ["added a", "modified 960000", "deleted a"])
        }
    }

    @Test("A watch ends regularly when its time is over, with a bookmark shortly before")
    func bookmarks() async throws {
        let client = try APIServer.client()
        try await APIServer.withNamespace(client) { namespace in
            let list = try await client.list(ConfigMap.self, namespace: namespace)
            let stream = try await client.watch(
                ConfigMap.self, namespace: namespace,
                options: options(from: list.metadata.resourceVersion, timeout: .seconds(4)))

            var bookmark: String?
            while let batch = try await stream.next() {
                for raw in batch {
                    if case .bookmark(let version, _) = try raw.decode(ConfigMap.self) { bookmark = version }
                }
            }

            #expect(UInt64(try #require(bookmark)) ?? 0 >= UInt64(list.metadata.resourceVersion) ?? .max)
        }
    }

    @Test("A version that the server no longer has is expired")
    func expires() async throws {
        let client = try APIServer.client()
        let suffix = "\(UInt32.random(in: 0 ... .max))"
        let group = "c\(suffix).farebox.example"
        let things = ResourceDescriptor(group: group, version: "v1", kind: "Thing", plural: "things")
        let definitions = ResourceDescriptor(
            group: "apiextensions.k8s.io", version: "v1", kind: "CustomResourceDefinition",
            plural: "customresourcedefinitions", isNamespaced: false)
        let key = ObjectKey(name: "things.\(group)")
        let schema: JSONValue = ["openAPIV3Schema": ["type": "object", "x-kubernetes-preserve-unknown-fields": true]]
        let version: JSONValue = ["name": "v1", "served": true, "storage": true, "schema": schema]
        // The history of a new kind begins now, so that version 1 lies before it.
        _ = try await client.apply(
            [
                "spec": [
                    "group": .string(group), "scope": "Namespaced", "versions": [version],
                    "names": ["plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"],
                ]
            ], to: key, of: definitions, as: "client-test")
        let stream = try await established {
            try await client.watch(ConfigMap.self, options: options(from: "1"), at: things)
        }

        let batch = try await stream.next()
        _ = try? await client.delete(JSONObjectOfAnyKind.self, key, at: definitions)

        guard case .error(let status)? = try batch?.first?.decode(ConfigMap.self, at: things) else {
            Issue.record("no error event")
            return
        }
        #expect(KubernetesError.api(status).isExpired)
    }

    /// Repeats until the server serves the kind; a new definition takes a moment.
    private func established(_ open: () async throws -> WatchStream) async throws -> WatchStream {
        let deadline = ContinuousClock.now + .seconds(120)
        while true {
            do {
                return try await open()
            } catch let error as KubernetesError where error.isNotFound && ContinuousClock.now < deadline {
                try await ContinuousClock().sleep(for: .milliseconds(20))
            }
        }
    }

    @Test("A version from the future is too large, not expired")
    func versionTooLarge() async throws {
        let client = try APIServer.client()
        let options = ListOptions(resourceVersion: "99999999999", resourceVersionMatch: "NotOlderThan")

        let error = await #expect(throws: KubernetesError.self) {
            try await client.list(ConfigMap.self, namespace: "default", options: options)
        }

        #expect(error?.isVersionTooLarge == true)
        #expect(error?.isExpired == false)
    }

    @Test("However many watches are open, requests get through, on connections that are used again")
    func manyWatches() async throws {
        let watches = 150
        let client = try APIServer.client()
        try await APIServer.withNamespace(client) { namespace in
            let version = try await client.list(ConfigMap.self, namespace: namespace).metadata.resourceVersion
            let options = options(from: version)

            let received = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<watches {
                    let stream = try await client.watch(ConfigMap.self, namespace: namespace, options: options)
                    group.addTask {
                        var count = 0
                        while count < 10, let batch = try await stream.next() { count += batch.count }
                        return count
                    }
                }
                let cancelled = try await client.watch(ConfigMap.self, namespace: namespace, options: options)
                cancelled.cancel()
                await #expect(throws: CancellationError.self) { _ = try await cancelled.next() }
                try await withThrowingTaskGroup(of: Void.self) { writers in
                    for index in 0..<10 {
                        writers.addTask { _ = try await client.create(configMap("shared-\(index)", namespace)) }
                    }
                    try await writers.waitForAll()
                }
                return try await group.reduce(0, +)
            }

            let begun = client.connectionsBegun
            for _ in 0..<20 { _ = try await client.serverVersion() }

            #expect(received == 10 * watches)
            #expect(begun <= watches + 12)
            #expect(client.connectionsBegun == begun)
        }
    }

    @Test("A stream that nobody reads holds up nobody else, and loses nothing")
    func slowReader() async throws {
        let client = try APIServer.client()
        try await APIServer.withNamespace(client) { namespace in
            let megabyte = String(repeating: "0123456789abcdef", count: 60_000)
            for index in 0..<5 { _ = try await client.create(configMap("big-\(index)", namespace, ["t": megabyte])) }
            let unread = try await client.open(APIRequest(.list, ConfigMap.descriptor, namespace: namespace))

            for _ in 0..<20 { _ = try await client.serverVersion() }
            var received = 0
            while let piece = try await unread.next() { received += piece.count }

            #expect(received > 5 * 960_000)
            #expect(client.connectionsBegun == 2)
        }
    }

    @Test("Cancelling a task that waits for an event ends the wait at once")
    func cancels() async throws {
        let client = try APIServer.client()
        let version = try await client.list(ConfigMap.self, namespace: "default").metadata.resourceVersion
        let stream = try await client.watch(
            ConfigMap.self, namespace: "default",
            options: WatchOptions(resourceVersion: version, labelSelector: "nobody=has", timeout: .seconds(300)))
        let task = Task { try await stream.next() }

        task.cancel()

        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try await client.serverVersion().major == "1")
    }
}

/// Stands for a kind that has no type here, where only its descriptor matters.
private struct JSONObjectOfAnyKind: KubernetesResource {
    static let descriptor = ResourceDescriptor(version: "v1", kind: "Any", plural: "any", isNamespaced: false)
    var metadata: ObjectMeta
}
