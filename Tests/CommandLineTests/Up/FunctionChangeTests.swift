import Builds
import CRDs
import Commands
import JSON
import KubernetesTypes
import Testing
import Timing

@testable import CommandLine

@Suite("What up applies")
struct FunctionChangeTests {
    private var stack: StackFunction {
        var stack = StackFunction(name: "hello", runtime: "python3-http", handler: "hello", image: "hello")
        stack.environment = ["A": "b"]
        stack.secrets = ["token"]
        stack.process = "python3 index.py"
        return stack
    }

    @Test("A person's function has no owner: Secrets are named as they are")
    func specification() throws {
        let digest = "r/ns/hello@sha256:" + String(repeating: "a", count: 64)

        let function = try FunctionChange(stack, namespace: "ns", image: digest, now: .now).function

        #expect(function.metadata.name == "hello")
        #expect(function.metadata.namespace == "ns")
        #expect(function.metadata.annotations.isEmpty)
        #expect(function.spec.image == digest)
        #expect(function.spec.secrets == ["token"])
        #expect(function.spec.environment == ["A": "b", "fprocess": "python3 index.py"])
        #expect(function.spec.source == FunctionSource(handler: "hello", runtime: "python3-http"))
        #expect(function.spec.replicas == nil)
    }

    @Test("A tag is looked up anew each time")
    func tag() throws {
        let function = try FunctionChange(stack, namespace: "ns", image: "r/hello:latest", now: .now).function

        #expect(function.metadata.annotations[FareboxAnnotation.deployedAt] != nil)
    }

    @Test("What no function may be is told before anything is sent")
    func invalid() {
        var stack = stack
        stack.environment = ["1 A": "b"]

        #expect(throws: CommandFailure.self) { try FunctionChange(stack, namespace: "ns", image: "r/x:1", now: .now) }
    }

    @Test("Nodes run what was pushed by its digest, under the name that they pull it by")
    func running() throws {
        let digest = "sha256:" + String(repeating: "b", count: 64)
        let image = try ImageReference(parsing: "push:5000/ns/hello:latest")
        let built = FolderBuild.Built(function: "hello", image: image, digest: digest)
        var settings = ClusterSettings(push: "push:5000")
        settings.pull = "pull:5000/mirror"

        #expect(try UpCommand.running(built, settings) == "pull:5000/mirror/ns/hello@" + digest)
        #expect(try UpCommand.running(built, nil) == "push:5000/ns/hello@" + digest)
        let unknown = FolderBuild.Built(function: "hello", image: image, digest: nil)
        #expect(try UpCommand.running(unknown, nil) == "push:5000/ns/hello:latest")
    }

    @Test("The cluster's settings are found in the ConfigMap that the builder mounts")
    func settings() throws {
        let deployment: JSONValue = [
            "spec": [
                "template": [
                    "spec": [
                        "volumes": [
                            ["name": "x", "emptyDir": [:]],
                            ["name": "config", "configMap": ["name": "farebox-config-g8f"]],
                        ]
                    ]
                ]
            ]
        ]

        let settings = try ClusterSettings(
            configuration: Array("registry:\n  push: r:5000\nfunctions:\n  allowedLabels: [team]\n".utf8))

        #expect(ClusterSettings.configurationName(deployment) == "farebox-config-g8f")
        #expect(ClusterSettings.configurationName(["spec": [:]]) == nil)
        #expect(settings.push == "r:5000")
        #expect(settings.pull == nil)
        #expect(settings.allowedLabels == ["team"])
    }
}
