import HTTP
import JSON
import KubernetesTypes
import Telemetry
import Testing

@testable import KubernetesClient

@Suite("Verbs on a real API server", APIServer.isGiven, .timeLimit(.minutes(10)))
struct VerbsAPIServerTests {
    private func configMap(_ name: String, _ namespace: String, _ data: [String: String] = [:]) -> ConfigMap {
        ConfigMap(metadata: ObjectMeta(name: name, namespace: namespace), data: data)
    }

    @Test("An object is made, read, replaced, patched and deleted")
    func lifecycle() async throws {
        let client = try APIServer.client()
        try await APIServer.withNamespace(client) { namespace in
            let key = ObjectKey(namespace: namespace, name: "one")

            let created = try await client.create(configMap("one", namespace, ["a": "1"]))
            var read = try await client.get(ConfigMap.self, key)
            #expect(read == created)
            #expect(!read.metadata.uid.isEmpty && read.metadata.creationTimestamp != nil)

            read.data["a"] = "2"
            let updated = try await client.update(read)
            #expect(updated.data == ["a": "2"])

            let merged = try await client.patch(
                ConfigMap.self, key, .merge(["data": ["a": .null, "b": "3"]]))
            #expect(merged.data == ["b": "3"])

            let patched = try await client.patch(
                ConfigMap.self, key,
                .json([.test(path: "/data/b", value: "3"), .replace(path: "/data/b", value: "4")]))
            #expect(patched.data == ["b": "4"])

            try await client.delete(ConfigMap.self, key, options: DeleteOptions(uid: created.metadata.uid))
            let error = await #expect(throws: KubernetesError.self) { try await client.get(ConfigMap.self, key) }
            #expect(error?.isNotFound == true)
        }
    }

    @Test("Refusals carry the server's reason")
    func refusals() async throws {
        let client = try APIServer.client()
        try await APIServer.withNamespace(client) { namespace in
            let key = ObjectKey(namespace: namespace, name: "one")
            let first = try await client.create(configMap("one", namespace))
            _ = try await client.patch(ConfigMap.self, key, .merge(["data": ["a": "1"]]))

            let exists = await #expect(throws: KubernetesError.self) {
                try await client.create(configMap("one", namespace))
            }
            let conflict = await #expect(throws: KubernetesError.self) { try await client.update(first) }
            let other = await #expect(throws: KubernetesError.self) {
                try await client.delete(ConfigMap.self, key, options: DeleteOptions(uid: "another"))
            }
            let invalid = await #expect(throws: KubernetesError.self) {
                try await client.create(configMap("Not A Name", namespace))
            }
            let missing = await #expect(throws: KubernetesError.self) {
                try await client.delete(ConfigMap.self, ObjectKey(namespace: namespace, name: "none"))
            }
            let failedTest = await #expect(throws: KubernetesError.self) {
                try await client.patch(ConfigMap.self, key, .json([.test(path: "/data/a", value: "9")]))
            }

            #expect(exists?.isAlreadyExists == true && exists?.isConflict == false)
            #expect(conflict?.isConflict == true)
            #expect(other?.isConflict == true)
            #expect(invalid?.isInvalid == true)
            #expect(invalid?.status?.details?.causes.first?.field == "metadata.name")
            #expect(missing?.isNotFound == true)
            #expect(failedTest?.status?.code == 422)
        }
    }

    @Test("Server-side apply owns its fields, removes those it drops, and reports another owner")
    func serverSideApply() async throws {
        let client = try APIServer.client()
        try await APIServer.withNamespace(client) { namespace in
            let key = ObjectKey(namespace: namespace, name: "applied")

            _ = try await client.apply(configMap("applied", namespace, ["mine": "1", "gone": "1"]), as: "one")
            _ = try await client.apply(configMap("applied", namespace, ["theirs": "2"]), as: "two")
            let dropped = try await client.apply(configMap("applied", namespace, ["mine": "1"]), as: "one")
            let conflict = await #expect(throws: KubernetesError.self) {
                try await client.apply(configMap("applied", namespace, ["mine": "9"]), as: "two", force: false)
            }
            let forced = try await client.apply(configMap("applied", namespace, ["mine": "9"]), as: "two")
            let again = try await client.apply(configMap("applied", namespace, ["mine": "9"]), as: "two")
            let tree = try await client.apply(["data": ["tree": "3"]], to: key, of: ConfigMap.descriptor, as: "three")

            #expect(dropped.data == ["mine": "1", "theirs": "2"])
            #expect(conflict?.isConflict == true)
            #expect(conflict?.status?.details?.causes.first?.field == ".data.mine")
            #expect(forced.data == ["mine": "9"])
            #expect(again.metadata.resourceVersion == forced.metadata.resourceVersion)
            #expect(tree[path: "data", "tree"] == "3")
        }
    }

    @Test("An object that was read can be applied again: what the server maintains is not sent")
    func appliesWhatWasRead() async throws {
        let client = try APIServer.client()
        try await APIServer.withNamespace(client) { namespace in
            let read = try await client.create(configMap("read", namespace, ["a": "1"]))
            _ = try await client.patch(ConfigMap.self, read.key, .merge(["data": ["b": "2"]]))

            let applied = try await client.apply(read, as: "applier")

            #expect(applied.data == ["a": "1", "b": "2"])
            #expect(applied.metadata.uid == read.metadata.uid)
        }
    }

    @Test("A status is applied without touching the rest")
    func appliesStatus() async throws {
        let client = try APIServer.client()
        try await APIServer.withNamespace(client) { namespace in
            let pods = ResourceDescriptor(version: "v1", kind: "Namespace", plural: "namespaces", isNamespaced: false)
            let before = try await client.get(Namespace.self, ObjectKey(name: namespace))

            let answer = try await client.applyStatus(before, as: "status-writer", at: pods)

            #expect(answer.status?.phase == "Active")
            #expect(answer.metadata.uid == before.metadata.uid)
        }
    }

    @Test("A long list is read page by page, and an old page token is expired")
    func pages() async throws {
        let client = try APIServer.client()
        try await APIServer.withNamespace(client) { namespace in
            for index in 0..<5 {
                var object = configMap("page-\(index)", namespace)
                object.metadata.labels = ["parity": index.isMultiple(of: 2) ? "even" : "odd"]
                _ = try await client.create(object)
            }

            var options = ListOptions(labelSelector: "parity=even", limit: 2)
            let first = try await client.list(ConfigMap.self, namespace: namespace, options: options)
            options.continueToken = first.metadata.continue
            let second = try await client.list(ConfigMap.self, namespace: namespace, options: options)
            options.continueToken = "bm9uc2Vuc2U"
            let bad = await #expect(throws: KubernetesError.self) {
                try await client.list(ConfigMap.self, namespace: namespace, options: options)
            }

            #expect(first.items.map(\.metadata.name) == ["page-0", "page-2"])
            #expect(second.items.map(\.metadata.name) == ["page-4"])
            #expect(second.metadata.continue.isEmpty)
            #expect(!first.metadata.resourceVersion.isEmpty)
            #expect(bad?.status?.code == 400)
        }
    }

    @Test("Many objects go by label at once")
    func deletesCollection() async throws {
        let client = try APIServer.client()
        try await APIServer.withNamespace(client) { namespace in
            for (name, label) in [("a", "x"), ("b", "x"), ("c", "y")] {
                var object = configMap(name, namespace)
                object.metadata.labels = ["group": label]
                _ = try await client.create(object)
            }

            try await client.deleteAll(ConfigMap.self, namespace: namespace, labelSelector: "group=x")

            let left = try await client.list(
                ConfigMap.self, namespace: namespace, options: ListOptions(labelSelector: "group"))
            #expect(left.items.map(\.metadata.name) == ["c"])
        }
    }

    @Test("An object of a megabyte passes both ways, and one too large is refused")
    func bigObjects() async throws {
        let client = try APIServer.client()
        try await APIServer.withNamespace(client) { namespace in
            let megabyte = String(repeating: "0123456789abcdef", count: 60_000)

            let created = try await client.create(configMap("big", namespace, ["text": megabyte]))
            let tooLarge = await #expect(throws: KubernetesError.self) {
                // Above what a ConfigMap may hold, and below what the server reads before it cuts the connection.
                try await client.create(configMap("huge", namespace, ["text": megabyte + megabyte]))
            }

            #expect(created.data["text"]?.utf8.count == megabyte.utf8.count)
            #expect(tooLarge?.isInvalid == true)
        }
    }

    @Test("Discovery tells the release and which resources there are")
    func discovery() async throws {
        let client = try APIServer.client()
        let slices = ["v1", "v1beta1"].map {
            ResourceDescriptor(group: "discovery.k8s.io", version: $0, kind: "EndpointSlice", plural: "endpointslices")
        }
        let nothing = ResourceDescriptor(group: "farebox.example", version: "v1", kind: "None", plural: "nones")

        let version = try await client.serverVersion()
        let offered = try await client.firstOffered(slices)
        let hasNothing = try await client.hasResource(nothing)
        let hasConfigMaps = try await client.hasResource(ConfigMap.descriptor)

        #expect(try #require(version.minorNumber) >= 20)
        #expect(offered?.version == ((version.minorNumber ?? 0) >= 21 ? "v1" : "v1beta1"))
        #expect(!hasNothing)
        #expect(hasConfigMaps)
    }

    @Test("The log of a pod that is not there is an error, not a stream")
    func logsOfNothing() async throws {
        let client = try APIServer.client()

        let error = await #expect(throws: KubernetesError.self) {
            try await client.logs(ObjectKey(namespace: "default", name: "nobody"), options: LogOptions(follows: true))
        }

        #expect(error?.isNotFound == true)
    }

    @Test("Requests are counted by code, method and host")
    func counts() async throws {
        let metrics = MetricsRegistry()
        let client = try APIServer.client(metrics)

        _ = try await client.serverVersion()
        _ = try? await client.get(ConfigMap.self, ObjectKey(namespace: "default", name: "nobody"))

        let text = String(decoding: metrics.render(), as: UTF8.self)
        #expect(text.contains(#"rest_client_requests_total{code="200",method="GET",host="127.0.0.1:"#))
        #expect(text.contains(#"rest_client_requests_total{code="404",method="GET",host="127.0.0.1:"#))
    }
}
