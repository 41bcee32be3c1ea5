public import JSON
import KubernetesTypes
import YAML

/// The CustomResourceDefinitions of Farebox, made from the Swift types.
///
/// `manifests/crds` holds what ``yaml(for:)`` prints; a test fails when the two differ.
public enum CRDManifests {
    /// The three kinds.
    public enum Kind: String, CaseIterable, Sendable {
        /// Function.
        case functions
        /// Repository.
        case repositories
        /// Receipt.
        case receipts

        /// The name of the CustomResourceDefinition, such as `functions.farebox.dev`.
        public var name: String { "\(rawValue).\(FareboxLabel.group)" }
        /// The name of the file in `manifests/crds`.
        public var fileName: String { "\(name).yaml" }
    }

    /// Returns the definition of one kind as the text of its manifest.
    ///
    /// - Throws: `EncodingError`, which would be a mistake in our own schema.
    public static func yaml(for kind: Kind) throws -> [UInt8] {
        Array(header.utf8) + (try YAMLWriter().encode(definition(of: kind)))
    }

    /// Returns the three definitions as one text of several YAML documents.
    ///
    /// - Throws: `EncodingError`, which would be a mistake in our own schema.
    public static func all() throws -> [UInt8] {
        var text = Array(header.utf8)
        for kind in Kind.allCases {
            text += Array("---\n".utf8) + (try YAMLWriter().encode(definition(of: kind)))
        }
        return text
    }

    private static let header = "# Printed by `farebox crds` from Sources/CRDs; edit that, not this.\n"

    /// Returns the definition of one kind as the API server takes it.
    public static func definition(of kind: Kind) -> JSONValue {
        switch kind {
        case .functions:
            definition(
                of: Function.descriptor, shortNames: ["fn"], schema: Function.schema, columns: Function.columns,
                scale: [
                    "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas",
                    "labelSelectorPath": ".status.selector",
                ])
        case .repositories:
            definition(
                of: Repository.descriptor, shortNames: ["repo"], schema: Repository.schema,
                columns: Repository.columns)
        case .receipts:
            definition(
                of: Receipt.descriptor, shortNames: ["rcpt"], schema: Receipt.schema, columns: Receipt.columns)
        }
    }

    private static func definition(
        of resource: ResourceDescriptor, shortNames: [JSONValue], schema: Schema, columns: [PrinterColumn],
        scale: JSONValue? = nil
    ) -> JSONValue {
        var root = schema
        root.addTypeMeta()
        var subresources: JSONObject = ["status": [:]]
        subresources["scale"] = scale
        let version: JSONObject = [
            "name": .string(resource.version), "served": true, "storage": true,
            "subresources": .object(subresources),
            "additionalPrinterColumns": .array(columns.map(\.json)),
            "schema": ["openAPIV3Schema": .object(root.json)],
        ]
        let names: JSONObject = [
            "kind": .string(resource.kind), "listKind": .string(resource.kind + "List"),
            "plural": .string(resource.plural), "singular": .string(resource.kind.lowercased()),
            "shortNames": .array(shortNames), "categories": ["farebox"],
        ]
        return [
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": [
                "name": .string("\(resource.plural).\(resource.group)"),
                "labels": [FareboxLabel.managedBy: .string(FareboxLabel.managedByFarebox)],
            ],
            "spec": [
                "group": .string(resource.group), "names": .object(names), "scope": "Namespaced",
                "versions": [.object(version)],
            ],
        ]
    }
}
