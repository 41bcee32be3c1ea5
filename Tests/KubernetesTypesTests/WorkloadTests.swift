import JSON
import KubernetesTypes
import Testing

@Suite("Workloads and what stands before them")
struct WorkloadTests {
    @Test("A pod with fields that we do not know is read, and says whether it is ready")
    func pod() throws {
        let json = #"""
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "b", "managedFields": [{"x": 1}]},
             "spec": {"containers": [{"name": "function", "image": "x", "tty": true, "resources": {"limits": {"cpu": 1}}}],
              "affinity": {}, "nodeName": "node1"},
             "status": {"phase": "Running", "qosClass": "Burstable", "hostIP": "10.0.0.1", "podIP": "10.244.0.5",
              "conditions": [{"type": "Ready", "status": "True", "lastProbeTime": null,
               "lastTransitionTime": "2026-11-20T12:00:00Z"}],
              "containerStatuses": [{"name": "function", "ready": true, "restartCount": 2, "image": "x", "imageID": "y",
               "containerID": "containerd://1", "started": true,
               "state": {"running": {"startedAt": "2026-11-20T12:00:00Z"}},
               "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled", "containerID": "z",
                "startedAt": "2026-11-20T11:00:00Z", "finishedAt": "2026-11-20T11:30:00Z"}}}]}}
            """#

        let pod = try JSONReader().decode(Pod.self, from: Array(json.utf8))

        #expect(pod.isReady)
        #expect(pod.spec?.containers.first?.resources?.limits["cpu"] == Quantity("1000m"))
        #expect(pod.status?.containerStatuses.first?.lastState?.terminated?.reason == "OOMKilled")
    }

    @Test("A pod without status is not ready", arguments: ["{}", #"{"status": {}}"#, #"{"status": null}"#])
    func barePod(json: String) throws {
        var json = try JSONReader().parse(Array(json.utf8))
        json["metadata"] = ["name": "a"]

        let pod = try JSONReader().decode(Pod.self, from: json)

        #expect(!pod.isReady)
    }

    @Test("Both versions of an EndpointSlice give the same addresses; an absent condition counts as ready")
    func endpointSlices() throws {
        let json: JSONValue = [
            "metadata": ["name": "a-1", "labels": ["kubernetes.io/service-name": "a"]], "addressType": "IPv4",
            "endpoints": [
                ["addresses": ["10.0.0.1"], "conditions": ["ready": true], "topology": ["x": "y"]],
                ["addresses": ["10.0.0.2"], "conditions": ["ready": false]], ["addresses": ["10.0.0.3"]],
            ],
            "ports": [["name": "http", "port": 8080, "protocol": "TCP"]],
        ]

        let new = try JSONReader().decode(EndpointSlice.self, from: json)
        let old = try JSONReader().decode(EndpointSliceV1Beta1.self, from: json)

        #expect(old.slice == new)
        #expect(new.endpoints.map(\.isReady) == [true, false, true])
        #expect(new.ports.first?.port == 8080)
        #expect(new.metadata.labels[EndpointSlice.serviceNameLabel] == "a")
    }

    @Test("What is absent is not written")
    func absent() throws {
        let container = Container(name: "function", image: "x")

        let json = try JSONWriter().value(of: PodSpec(containers: [container]))

        #expect(json == ["containers": [["image": "x", "name": "function"]]])
    }

    @Test("A rolling update and a port keep numbers and names apart")
    func intOrString() throws {
        var spec = DeploymentSpec(
            replicas: 1, selector: LabelSelector(matchLabels: ["a": "b"]),
            template: PodTemplateSpec(spec: PodSpec(containers: [])))
        spec.strategy = .rollingUpdate(maxUnavailable: 0, maxSurge: "25%")

        let json = try JSONWriter().value(of: spec)

        #expect(json["strategy"]?["rollingUpdate"] == ["maxUnavailable": 0, "maxSurge": "25%"])
        #expect(try JSONReader().decode(DeploymentSpec.self, from: json) == spec)
    }
}
