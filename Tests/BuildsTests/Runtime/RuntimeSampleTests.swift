import Testing

@testable import Builds

@Suite("What a new function starts from")
struct RuntimeSampleTests {
    @Test("An OpenFaaS template gives its sample handler")
    func openFaaS() throws {
        let files = try RuntimeFixture.runtime("python", RuntimeFixture.openFaaS).sample(for: "hello")

        #expect(files.map(\.path) == ["handler.py", "requirements.txt"])
    }

    @Test("A FaaSO runtime renders its template folder, and a text keeps its last newline")
    func faaso() throws {
        var files = RuntimeFixture.faaso
        files["template/funko.py.j2"] = nil
        files["template/funko.yml.j2"] = "name: {{ name }}\nruntime: {{ runtime }}\n"
        files["template/static/a.txt"] = "{{ stays }}"

        let sample = try RuntimeFixture.runtime("flask", files).sample(for: "hello")

        #expect(sample.map(\.path) == ["funko.yml", "static/a.txt"])
        #expect(
            sample.map { String(decoding: $0.bytes, as: UTF8.self) } == [
                "name: hello\nruntime: flask\n", "{{ stays }}",
            ])
    }

    @Test("A template that cannot be rendered is named with its place")
    func broken() throws {
        let runtime = try RuntimeFixture.runtime("flask", RuntimeFixture.faaso)

        let failure = #expect(throws: BuildFailure.self) { try runtime.sample(for: "hello") }

        #expect(failure?.message.contains("template/funko.py.j2 of the runtime flask") == true)
    }
}
