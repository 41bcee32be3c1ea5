import CRDs
import JSON
import KubernetesTypes
import Testing

@Suite("Custom resource definitions")
struct CRDManifestsTests {
    @Test("Every string, list, map and number has a limit", arguments: CRDManifests.Kind.allCases)
    func everythingIsBounded(kind: CRDManifests.Kind) throws {
        let definition = CRDManifests.definition(of: kind)

        var unbounded: [String] = []
        try #require(definition["spec"]?["versions"]?[0]?["schema"]?["openAPIV3Schema"])
            .visitSchemas { path, schema in
                if !schema.isBounded, !Self.serverFields.contains(path) { unbounded.append(path) }
            }

        #expect(unbounded.isEmpty)
    }

    @Test("Every field has a description", arguments: CRDManifests.Kind.allCases)
    func everythingIsDescribed(kind: CRDManifests.Kind) throws {
        let definition = CRDManifests.definition(of: kind)

        var bare: [String] = []
        try #require(definition["spec"]?["versions"]?[0]?["schema"]?["openAPIV3Schema"])
            .visitSchemas { path, schema in
                if (schema["description"]?.stringValue ?? "").count < 5 { bare.append(path) }
            }

        // The API server allows nothing beside limits of the name in `metadata`.
        #expect(bare == [".metadata", ".metadata.name"])
    }

    @Test("The schemas carry no CEL rule, which Kubernetes 1.20 refuses", arguments: CRDManifests.Kind.allCases)
    func noCEL(kind: CRDManifests.Kind) throws {
        let text = String(decoding: JSONWriter().write(CRDManifests.definition(of: kind)), as: UTF8.self)

        #expect(!text.contains("x-kubernetes-validations"))
    }

    @Test(
        "A definition fits into the annotation of kubectl apply, 256 KiB, with room",
        arguments: CRDManifests.Kind.allCases)
    func fitsAnnotation(kind: CRDManifests.Kind) {
        let bytes = JSONWriter().write(CRDManifests.definition(of: kind)).count

        #expect(bytes < 64 << 10)
    }

    private static let serverFields: Set<String> = [".apiVersion", ".kind"]
}

extension JSONValue {
    /// Calls `visit` for this schema and all below it, with their paths.
    fileprivate func visitSchemas(_ path: String = "", _ visit: (String, JSONValue) -> Void) {
        visit(path, self)
        for (name, schema) in self["properties"]?.objectValue ?? [:] { schema.visitSchemas("\(path).\(name)", visit) }
        self["items"]?.visitSchemas("\(path)[]", visit)
        self["additionalProperties"]?.visitSchemas("\(path).*", visit)
    }

    /// Whether no value of this schema's own type can grow without end.
    fileprivate var isBounded: Bool {
        switch self["type"]?.stringValue {
        case "string": self["maxLength"] != nil || self["enum"] != nil || self["format"] == "date-time"
        case "integer": self["minimum"] != nil && self["maximum"] != nil
        case "array": self["maxItems"] != nil
        case "object": self["additionalProperties"] == nil || self["maxProperties"] != nil
        case "boolean": true
        case nil: self["maxLength"] != nil || self["maxItems"] != nil
        default: false
        }
    }
}
