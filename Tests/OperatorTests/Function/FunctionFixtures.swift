import CRDs
import JSON
import KubernetesTypes
import YAML

@testable import Operator

/// Functions and what belongs to them, for the tests of the Function controller.
enum FunctionFixtures {
    static let digest = "sha256:" + String(repeating: "ab", count: 32)

    /// A Function in namespace `functions`, from the YAML of its spec.
    static func function(
        _ name: String = "hello", labels: [String: String] = [:], annotations: [String: String] = [:], spec: String
    ) throws -> Function {
        var metadata = ObjectMeta(name: name, namespace: "functions", labels: labels, annotations: annotations)
        metadata.uid = "11111111-2222-3333-4444-555555555555"
        metadata.generation = 3
        return Function(metadata: metadata, spec: try YAMLReader().decode(FunctionSpec.self, from: Array(spec.utf8)))
    }

    static func configuration(_ yaml: String = "{}") throws -> FunctionClusterConfiguration {
        try YAMLReader(unknownKeys: .refuse).decode(FunctionClusterConfiguration.self, from: Array(yaml.utf8))
    }
}
