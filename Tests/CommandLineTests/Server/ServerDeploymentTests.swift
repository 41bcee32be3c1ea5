import Builds
import CRDs
import Commands
import JSON
import KubernetesTypes
import Testing

@testable import CommandLine

@Suite("A function of a folder in the words of OpenFaaS' REST API")
struct ServerDeploymentTests {
    private func function(_ change: (inout StackFunction) -> Void = { _ in }) -> StackFunction {
        var function = StackFunction(name: "hello", runtime: "dockerfile", handler: "hello", image: "")
        change(&function)
        return function
    }

    private func body(_ function: StackFunction, namespace: String? = nil) throws -> JSONValue {
        try ServerDeployment(function, namespace: namespace).body(image: "r/hello:1")
    }

    @Test("What is not said is not sent")
    func least() throws {
        #expect(try body(function()) == ["service": "hello", "image": "r/hello:1"])
        #expect(try body(function(), namespace: "team")["namespace"] == "team")
    }

    @Test("Every field has its place")
    func full() throws {
        let stack = function {
            $0.process = "node index.js"
            $0.environment = ["A": "1", "EMPTY": ""]
            $0.secrets = ["db"]
            $0.labels = ["team": "shop"]
            $0.annotations = ["topic": "orders"]
            $0.resources = FunctionResources(
                requests: nil, limits: FunctionResourceAmounts(cpu: Quantity("500m"), memory: Quantity("128Mi")))
            $0.scale = FunctionScale(min: 0, max: 3, targetConcurrency: 10, idleAfter: "5m", downAfter: "2m")
            $0.health = FunctionHealth(path: "/ping", initialDelay: "2s")
            $0.async = FunctionAsync(attempts: 3, retryStatuses: [429, 503])
            $0.port = 3000
            $0.paymentPointer = "$wallet.example.com/alice"
            $0.readOnlyRootFilesystem = true
        }

        let body = try body(stack)

        #expect(body["envProcess"] == "node index.js")
        #expect(body["envVars"] == ["A": "1", "EMPTY": ""])
        #expect(body["secrets"] == ["db"])
        #expect(
            body["labels"] == [
                "team": "shop", "com.openfaas.scale.zero": "true", "com.openfaas.scale.zero-duration": "5m",
                "com.openfaas.scale.max": "3", "com.openfaas.scale.type": "capacity", "com.openfaas.scale.target": "10",
                "com.openfaas.scale.target-proportion": "1", "com.openfaas.scale.down.window": "2m",
            ])
        #expect(
            body["annotations"] == [
                "topic": "orders", "com.openfaas.health.http.path": "/ping",
                "com.openfaas.health.http.initialDelay": "2s", "com.openfaas.retry.attempts": "3",
                "com.openfaas.retry.codes": "429,503", "farebox.dev/port": "3000",
                "interledger.org/payment-pointer": "$wallet.example.com/alice",
            ])
        #expect(body["limits"] == ["cpu": "500m", "memory": "128Mi"])
        #expect(body["requests"] == nil)
        #expect(body["readOnlyRootFilesystem"] == true)
    }

    @Test("What no function may set is told before anything is built")
    func invalid() {
        let stack = function { $0.environment = ["A B": "1"] }

        #expect(throws: CommandFailure.self) { try body(stack) }
    }
}
