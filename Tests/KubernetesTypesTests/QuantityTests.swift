import JSON
import Testing

@testable import KubernetesTypes

@Suite("Quantities")
struct QuantityTests {
    @Test(
        "A quantity has the value its suffix says",
        arguments: [
            ("0", 0), ("1", 1000), ("-1", -1000), ("+1", 1000), ("1.5", 1500), (".5", 500), ("1.", 1000),
            ("100m", 100), ("1n", 1), ("1u", 1), ("2k", 2_000_000), ("1Ki", 1_024_000), ("128Mi", 134_217_728_000),
            ("1e3", 1_000_000), ("1E3", 1_000_000), ("1e-3", 1), ("0.1Ki", 102_400), ("1G", 1_000_000_000_000),
            ("1E", Int64.max), ("1Ei", Int64.max), ("99999999999999999999999999999E", Int64.max),
            ("1e999999", Int64.max),
            ("0.00000000000000000000000000000000000001", 1), ("1e-999", 1),
        ])
    func milliValue(text: String, expected: Int64) throws {
        let quantity = try #require(Quantity(text))

        #expect(quantity.milliValue == expected)
        #expect(quantity.text == text)
    }

    @Test(
        "A text outside the grammar is no quantity",
        arguments: [
            "", " 1", "1 ", "abc", ".", "-", "1..2", "1.2.3", "1Zi", "1ki", "1KI", "1mm", "e3", "1e", "1e+", "1e3.5",
            "0x10", "١", "--1", "1\u{0}", String(repeating: "1", count: 65),
        ])
    func malformed(text: String) {
        #expect(Quantity(text) == nil)
    }

    @Test("Equality and order go by value, not by text")
    func comparesByValue() throws {
        let pairs = [("1000m", "1"), ("1Gi", "1024Mi"), ("0.5", "500m"), ("1e3", "1k")]

        for (left, right) in pairs {
            #expect(Quantity(left) == Quantity(right))
            #expect(Set([Quantity(left), Quantity(right)]).count == 1)
        }
        #expect(try #require(Quantity("999Mi")) < #require(Quantity("1Gi")))
        #expect(try #require(Quantity("-1")) < #require(Quantity("1n")))
    }

    @Test("A value beyond 2^63 - 1 is capped and a tiny one counts as one nano unit")
    func capsAndRounds() throws {
        let huge = try #require(Quantity("123456789012345678901234567890"))
        let tiny = try #require(Quantity("-0.0000000000001"))

        #expect(huge.value == Int64.max)
        #expect(huge == Quantity(Int64.max))
        #expect(tiny.nanos == -1)
    }

    @Test("JSON numbers and strings both decode; the text is written back as it was")
    func codes() throws {
        let quantities = try JSONReader().decode([Quantity].self, from: Array(#"["250m", 2, 0.5, "1Gi"]"#.utf8))

        #expect(quantities.map(\.milliValue) == [250, 2000, 500, 1_073_741_824_000])
        #expect(try JSONWriter().encode(quantities) == Array(#"["250m","2","0.5","1Gi"]"#.utf8))
        #expect(throws: (any Error).self) { try JSONReader().decode(Quantity.self, from: Array(#""12 apples""#.utf8)) }
    }
}
