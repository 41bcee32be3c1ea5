import CRDs
import FoundationEssentials
import Testing
import YAML

@Suite("Generated manifests")
struct GeneratedManifestsTests {
    /// `manifests/crds` of this working copy.
    private static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "manifests/crds")

    @Test(
        "manifests/crds holds what the types say; FAREBOX_UPDATE_GOLDEN=1 writes it anew",
        arguments: CRDManifests.Kind.allCases)
    func filesAreCurrent(kind: CRDManifests.Kind) throws {
        let file = Self.folder.appending(path: kind.fileName)
        let printed = try CRDManifests.yaml(for: kind)

        if ProcessInfo.processInfo.environment["FAREBOX_UPDATE_GOLDEN"] == "1" {
            try FileManager.default.createDirectory(at: Self.folder, withIntermediateDirectories: true)
            try Data(printed).write(to: file)
        }

        let stored = try String(decoding: Data(contentsOf: file), as: UTF8.self)
        #expect(stored == String(decoding: printed, as: UTF8.self), "run this test with FAREBOX_UPDATE_GOLDEN=1")
    }

    @Test("All definitions in one text are three documents")
    func allDocuments() throws {
        let text = try CRDManifests.all()

        let documents = try YAMLReader().parseAll(text)

        #expect(documents.map { $0["metadata"]?["name"]?.text } == CRDManifests.Kind.allCases.map(\.name))
    }
}
