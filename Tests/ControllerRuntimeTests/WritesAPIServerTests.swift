import JSON
import KubernetesClient
import KubernetesTypes
import Testing

@testable import ControllerRuntime

@Suite("Writes to a real API server", WireWorld.isGiven, .timeLimit(.minutes(10)))
struct WritesAPIServerTests {
    /// Children with everything that a server fills in or stores in another form.
    static let children = [
        #"""
        {"kind":"Deployment","spec":{"replicas":1,"selector":{"matchLabels":{"app":"x"}},
         "strategy":{"type":"RollingUpdate","rollingUpdate":{"maxUnavailable":0,"maxSurge":1}},
         "template":{"metadata":{"labels":{"app":"x"}},"spec":{"automountServiceAccountToken":false,
          "securityContext":{"runAsNonRoot":true,"runAsUser":1000,"seccompProfile":{"type":"RuntimeDefault"}},
          "containers":[{"name":"main","image":"example.test/x@sha256:00","env":[{"name":"A","value":"1"}],
           "ports":[{"containerPort":8080}],
           "resources":{"requests":{"cpu":"1000m","memory":"1024Mi"},"limits":{"cpu":"1.5","memory":"1Gi"}},
           "securityContext":{"allowPrivilegeEscalation":false,"readOnlyRootFilesystem":true,
            "capabilities":{"drop":["ALL"]}},
           "readinessProbe":{"httpGet":{"path":"/","port":8080}},
           "volumeMounts":[{"name":"tmp","mountPath":"/tmp"}]}],
          "volumes":[{"name":"tmp","emptyDir":{"sizeLimit":"64Mi"}}]}}}}
        """#,
        #"""
        {"kind":"Service","spec":{"selector":{"app":"x"},"ports":[{"port":80,"targetPort":8080,"protocol":"TCP"}]}}
        """#,
        #"""
        {"kind":"NetworkPolicy","spec":{"podSelector":{"matchLabels":{"app":"x"}},"policyTypes":["Ingress","Egress"],
         "ingress":[{"from":[{"namespaceSelector":{},"podSelector":{"matchLabels":{"role":"gateway"}}}]}],
         "egress":[{"to":[{"ipBlock":{"cidr":"0.0.0.0/0","except":["10.0.0.0/8"]}}]},
          {"ports":[{"port":53,"protocol":"UDP"}]}]}}
        """#,
        #"""
        {"kind":"Job","spec":{"backoffLimit":0,"ttlSecondsAfterFinished":600,"template":{"metadata":{},"spec":{"restartPolicy":"Never",
         "containers":[{"name":"main","image":"example.test/x"}]}}}}
        """#,
        #"""
        {"kind":"Secret","type":"Opaque","data":{"key":"dmFsdWU="}}
        """#,
    ]

    func owner(_ cluster: RealCluster) async throws -> Widget {
        try await cluster.client.create(Widget("owner", namespace: cluster.namespace))
    }

    /// Applies a child, then again by a new process that sees what is stored; returns both outcomes.
    func applyTwice<Child: KubernetesResource>(
        _ type: Child.Type, _ value: JSONValue, _ owner: Widget, _ cluster: RealCluster
    ) async throws -> [ChildOutcome] {
        let desired = try JSONReader().decode(type, from: value)
        let first = try await ChildWriter(api: cluster.client, fieldManager: "farebox-test")
            .apply(desired, observed: nil, owner: owner)
        let stored = try await cluster.client.get(type, desired.key)
        let second = try await ChildWriter(api: cluster.client, fieldManager: "farebox-test")
            .apply(desired, observed: stored, owner: owner)
        return [first, second]
    }

    @Test("A child that the server filled in with its defaults is not written again", arguments: children)
    func defaultsAreNoDrift(child: String) async throws {
        try await RealCluster.run { cluster in
            let owner = try await owner(cluster)
            var value = try JSONReader().parse(child)
            value["metadata"] = ["name": "child", "namespace": .string(cluster.namespace)]

            let outcomes: [ChildOutcome]
            switch value["kind"]?.stringValue {
            case "Deployment": outcomes = try await applyTwice(Deployment.self, value, owner, cluster)
            case "Service": outcomes = try await applyTwice(Service.self, value, owner, cluster)
            case "NetworkPolicy": outcomes = try await applyTwice(NetworkPolicy.self, value, owner, cluster)
            case "Job": outcomes = try await applyTwice(Job.self, value, owner, cluster)
            default: outcomes = try await applyTwice(Secret.self, value, owner, cluster)
            }

            #expect(outcomes == [.created, .unchanged])
        }
    }

    @Test("A rule that somebody adds to a policy of ours is taken out again")
    func policyDrift() async throws {
        try await RealCluster.run { cluster in
            let owner = try await owner(cluster)
            var value = try JSONReader().parse(Self.children[2])
            value["metadata"] = ["name": "child", "namespace": .string(cluster.namespace)]
            _ = try await applyTwice(NetworkPolicy.self, value, owner, cluster)
            let desired = try JSONReader().decode(NetworkPolicy.self, from: value)
            let opened = try await cluster.client.patch(
                NetworkPolicy.self, desired.key, .json([.add(path: "/spec/ingress/-", value: [:])]))

            let outcome = try await ChildWriter(api: cluster.client, fieldManager: "farebox-test")
                .apply(desired, observed: opened, owner: owner)

            let stored = try await cluster.client.get(NetworkPolicy.self, desired.key)
            #expect(opened.spec.ingress.count == 2)
            #expect(outcome == .updated)
            #expect(stored.spec == desired.spec)
        }
    }

    @Test("A field that we no longer want goes; a field of another manager stays")
    func droppedField() async throws {
        try await RealCluster.run { cluster in
            let owner = try await owner(cluster)
            let writer = ChildWriter(api: cluster.client, fieldManager: "farebox-test")
            var child = ConfigMap(
                metadata: ObjectMeta(name: "child", namespace: cluster.namespace), data: ["a": "1", "b": "2"])
            try await writer.apply(child, observed: nil, owner: owner)
            let stored = try await cluster.client.patch(
                ConfigMap.self, child.key, .merge(["data": ["theirs": "3"]]))
            child.data = ["a": "1"]

            let outcome = try await writer.apply(child, observed: stored, owner: owner)

            #expect(outcome == .updated)
            #expect(try await cluster.client.get(ConfigMap.self, child.key).data == ["a": "1", "theirs": "3"])
        }
    }

    @Test("Status goes to the subresource alone, and never to an object that has taken the name")
    func status() async throws {
        try await RealCluster.run { cluster in
            let old = try await owner(cluster)
            let writer = StatusWriter(api: cluster.client)

            try await writer.write(Widget.Status(parts: 2, observedGeneration: 1), to: old)
            let written = try await cluster.client.get(Widget.self, old.key)
            let isSentAgain = try await writer.write(Widget.Status(parts: 2, observedGeneration: 1), to: written)
            try await cluster.client.delete(Widget.self, old.key)
            let new = try await owner(cluster)
            await #expect(throws: StaleObject.self) {
                try await writer.write(Widget.Status(parts: 9), to: written)
            }

            #expect(written.status == Widget.Status(parts: 2, observedGeneration: 1))
            #expect(written.metadata.generation == 1)
            #expect(!isSentAgain)
            #expect(try await cluster.client.get(Widget.self, new.key).status == nil)
        }
    }

    @Test("Finalizers of others are never lost, whatever we read before they came", arguments: [[], ["other.dev/a"]])
    func finalizers(present: [String]) async throws {
        try await RealCluster.run { cluster in
            var widget = Widget("w", namespace: cluster.namespace)
            widget.metadata.finalizers = present
            let stale = try await cluster.client.create(widget)
            let finalizer = Finalizer(name: "farebox.dev/test", api: cluster.client)
            func pass(_ widget: Widget) async throws {
                _ = try await finalizer.reconcile(widget) {
                    .done
                } cleanUp: {
                    .done
                }
            }
            let all = (present + ["other.dev/new"]).map { JSONValue.string($0) }
            _ = try await cluster.client.patch(
                Widget.self, widget.key, .merge(["metadata": ["finalizers": .array(all)]]))

            await #expect(throws: StaleObject.self) { try await pass(stale) }
            try await pass(try await cluster.client.get(Widget.self, widget.key))
            let added = try await cluster.client.get(Widget.self, widget.key).metadata.finalizers
            try await cluster.client.delete(Widget.self, widget.key)
            try await pass(try await cluster.client.get(Widget.self, widget.key))
            let removed = try await cluster.client.get(Widget.self, widget.key).metadata.finalizers

            #expect(added == present + ["other.dev/new", "farebox.dev/test"])
            #expect(removed == present + ["other.dev/new"])
        }
    }

    @Test("The first finalizer of an object is added as well")
    func firstFinalizer() async throws {
        try await RealCluster.run { cluster in
            let widget = try await cluster.client.create(Widget("w", namespace: cluster.namespace))

            _ = try await Finalizer(name: "farebox.dev/test", api: cluster.client)
                .reconcile(widget) {
                    .done
                } cleanUp: {
                    .done
                }

            #expect(try await cluster.client.get(Widget.self, widget.key).metadata.finalizers == ["farebox.dev/test"])
        }
    }

    @Test("Events are accepted, and repetitions counted in one")
    func events() async throws {
        try await RealCluster.run { cluster in
            let widget = try await owner(cluster)
            let recorder = EventRecorder(
                api: cluster.client, controller: "farebox.dev/test", instance: String(repeating: "h", count: 300))
            @Sendable func stored() async throws -> [Event] {
                try await cluster.client.list(Event.self, namespace: cluster.namespace).items
                    .filter { $0.reportingController == "farebox.dev/test" }
            }

            try await during(recorder.run) {
                recorder.record(
                    on: widget, type: .warning, reason: "BuildFailed", action: "Build",
                    note: String(repeating: "é", count: 2000))
                try await eventually("it is stored") { try await stored().count == 1 }
                recorder.record(on: widget, type: .warning, reason: "BuildFailed", action: "Build", note: "again")
                try await eventually("it is counted") { try await stored().first?.series?.count == 2 }
            }

            let events = try await stored()
            #expect(events.count == 1)
            #expect(events.first?.regarding?.uid == widget.metadata.uid)
        }
    }
}
