import Glibc
import KubernetesClient
import KubernetesTypes
import Synchronization
import Testing

/// Where a scenario runs.
enum Backend: String, Sendable, CaseIterable, CustomTestStringConvertible {
    /// In memory.
    case memory

    var testDescription: String { rawValue }

    /// Those that this run has.
    static let available: [Backend] = [.memory]

    func api() async throws -> any KubernetesAPI {
        MemoryAPI()
    }

    /// Makes a namespace of the test's own.
    func namespace(_ api: any KubernetesAPI) async throws -> String {
        "test-\(UInt32.random(in: .min ... .max))"
    }

    func cleanUp(_ api: any KubernetesAPI, namespace: String) async throws {}
}
