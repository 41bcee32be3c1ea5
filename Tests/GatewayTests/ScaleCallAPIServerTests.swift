import CRDs
import JSON
import KubernetesClient
import KubernetesTypes
import MemoryCluster
import Testing

@testable import Gateway

@Suite("Waking a function by its scale subresource", .enabled(if: APIServer.kubeconfig != nil, "\(APIServer.remedy)"))
struct ScaleCallAPIServerTests {
    private func sleeping(_ api: any KubernetesAPI, _ name: String, replicas: Int32 = 0) async throws -> Function {
        var function = Function(
            metadata: ObjectMeta(name: name, namespace: "default"), spec: FunctionSpec(image: "example.com/i:1"))
        function.spec.replicas = replicas
        function.spec.scale = FunctionScale(min: 0, idleAfter: "5m")
        return try await api.create(function)
    }

    private func name() -> String { "wake-\(UInt32.random(in: .min ... .max))" }

    @Test("A function that has no replica gets one, whether or not its version is known")
    func wakes() async throws {
        let api = try await APIServer.client
        for version in ["known", "old", ""] {
            var function = try await sleeping(api, name())
            var seen = function.metadata.resourceVersion
            if version == "old" {
                function = try await api.patch(
                    Function.self, function.key, .merge(["metadata": ["annotations": ["x": "y"]]]))
            }
            if version.isEmpty { seen = "" }

            try await ScaleCall(api: api).wake(function.key, version: seen)

            let after = try await api.get(Function.self, function.key)
            #expect(after.spec.replicas == 1, "\(version)")
            try await api.delete(Function.self, function.key)
        }
    }

    @Test("What somebody else scaled up meanwhile is left as it is")
    func leaves() async throws {
        let api = try await APIServer.client
        let before = try await sleeping(api, name())
        _ = try await api.patch(Function.self, before.key, .merge(["spec": ["replicas": 3]]))

        try await ScaleCall(api: api).wake(before.key, version: before.metadata.resourceVersion)

        let after = try await api.get(Function.self, before.key)
        #expect(after.spec.replicas == 3)
        try await api.delete(Function.self, before.key)
    }

    @Test("A function that is gone is an error")
    func gone() async throws {
        let api = try await APIServer.client

        await #expect(throws: KubernetesError.self) {
            try await ScaleCall(api: api).wake(ObjectKey(namespace: "default", name: name()), version: "1")
        }
    }
}
