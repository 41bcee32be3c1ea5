import HTTP
import Testing

@testable import KubernetesClient

@Suite("Certificates that change")
struct TLSMaterialTests {
    private let start = ContinuousClock.now
    private let fixture = ConfigurationFixture(files: [
        "/ca": "-----BEGIN CERTIFICATE-----1", "/cert": "-----BEGIN CERTIFICATE-----c1",
        "/key": "-----BEGIN PRIVATE KEY-----k1",
    ])

    private func configuration() -> ClientConfiguration {
        var configuration = ClientConfiguration(server: "https://x")
        configuration.authorities = .file("/ca")
        configuration.certificate = ClientCertificate(certificate: .file("/cert"), key: .file("/key"))
        return configuration
    }

    private func material() throws -> TLSMaterial {
        try TLSMaterial(configuration(), at: start, read: fixture.surroundings.file)
    }

    @Test("Files are looked at every five minutes, and only if there are any")
    func interval() throws {
        var material = try material()
        var fixed = try TLSMaterial(
            ClientConfiguration(server: "https://x"), at: start, read: fixture.surroundings.file)

        let dues = [299, 300, 301, 599, 600].map { material.isDue(at: start + .seconds($0)) }
        let isFixedDue = fixed.isDue(at: start + .seconds(10_000))

        #expect(dues == [false, true, false, false, true])
        #expect(!isFixedDue)
    }

    @Test("A changed file is taken over, an unchanged one is no change")
    func changes() throws {
        var material = try material()

        let unchanged = material.reload(read: fixture.surroundings.file)
        fixture.write("/cert", "-----BEGIN CERTIFICATE-----c2")
        fixture.write("/key", "-----BEGIN PRIVATE KEY-----k2")
        let changed = material.reload(read: fixture.surroundings.file)

        #expect(!unchanged.hasChanged && !unchanged.hasFailed)
        #expect(changed.hasChanged && !changed.hasFailed)
        #expect(material.identity.certificate == Array("-----BEGIN CERTIFICATE-----c2".utf8))
        #expect(material.identity.privateKey == Array("-----BEGIN PRIVATE KEY-----k2".utf8))
    }

    @Test(
        "A missing, empty or malformed file leaves the last good one in use",
        arguments: [nil, "", "garbage"] as [String?])
    func badFiles(text: String?) throws {
        var material = try material()
        let before = material.identity
        fixture.write("/ca", text)
        fixture.write("/key", text)
        fixture.write("/cert", "-----BEGIN CERTIFICATE-----c3")

        let result = material.reload(read: fixture.surroundings.file)

        #expect(result.hasFailed && !result.hasChanged)
        #expect(material.identity == before)
    }

    @Test("At the start a missing or malformed file is an error that names it", arguments: ["/ca", "/cert", "/key"])
    func badStart(path: String) {
        for text in [nil, "garbage"] as [String?] {
            fixture.write(path, text)

            let error = #expect(throws: ConfigurationError.self) { try material() }

            #expect("\(error, default: "")".contains(path))
        }
    }
}
