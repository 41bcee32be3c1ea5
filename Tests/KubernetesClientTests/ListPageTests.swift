import JSON
import KubernetesTypes
import Testing

@testable import KubernetesClient

@Suite("The objects of a page")
struct ListPageTests {
    /// A page of ConfigMaps whose names are numbers, and one item that is none of them.
    private func page(
        of count: Int, then item: JSONValue? = nil, leavingOut: [[String]] = []
    ) throws -> ListPage<ConfigMap> {
        var items = (0..<count).map { number -> JSONValue in
            let name = JSONValue.string("\(number)")
            return ["metadata": ["name": name, "labels": ["a": "b"]], "data": ["number": name]]
        }
        if let item { items.insert(item, at: count / 2) }
        let text = try JSONWriter().encode(["items": .array(items), "metadata": ["resourceVersion": "7"]] as JSONValue)
        return ListPage(list: try JSONReader().list(text, elementsOf: "items"), leftOut: leavingOut)
    }

    @Test("Each object is handed on once, whether few or many", arguments: [0, 1, 127, 128, 129, 256, 3000])
    func each(count: Int) async throws {
        let page = try page(of: count)
        var found: [String] = []

        try await page.forEach { found.append("\($0.metadata.name) \($0.data["number"] ?? "")") }

        #expect(found.sorted() == (0..<count).map { "\($0) \($0)" }.sorted())
    }

    @Test("What is left out is absent from all of them")
    func leftOut() async throws {
        let page = try page(of: 300, leavingOut: [["metadata", "labels"], ["data"]])
        var found: [ConfigMap] = []

        try await page.forEach { found.append($0) }

        #expect(found.count == 300 && found.allSatisfy { $0.metadata.labels.isEmpty && $0.data.isEmpty })
    }

    @Test("One that cannot be read fails the page", arguments: [10, 1000])
    func unreadable(count: Int) async throws {
        let page = try page(of: count, then: ["metadata": 5])
        var found = 0

        let error = await #expect(throws: JSONError.self) { try await page.forEach { _ in found += 1 } }

        #expect("\(error.map { "\($0)" } ?? "")".contains("metadata") && found < count)
    }
}
