import Testing
import YAML

@testable import Builds

@Suite("Substitution of variables in a stack file")
struct EnvironmentSubstitutionTests {
    private static let variables = [
        "v": "value", "x": "name", "e": "", "mixed": "aBcD", "path": "/home/bozo/ideas.txt.gz",
        "abc": "abcABC123ABCabc",
        "n": "3", "slash": "a/b/c", "umlaut": "äöü",
    ]

    private func expand(_ text: String, bytesMaximum: Int = 1 << 18) throws -> String {
        try EnvironmentSubstitution.expand(text, variables: Self.variables, bytesMaximum: bytesMaximum)
    }

    @Test(
        "knows the forms that faas-cli knows",
        arguments: [
            // What is touched at all.
            ("no variables, 5 $ and {}", "no variables, 5 $ and {}"), ("$v ${v} $v", "$v value $v"),
            ("a${v}b${x}c", "avaluebnamec"), ("${unset}|", "|"), ("$${v}", "${v}"), ("$$v", "$v"), ("$$$${v}", "$${v}"),
            ("${v}$${v$${v}$v${v}", "value${v${v}$vvalue"), ("$", "$"), ("a\\/b", "a\\/b"),
            ("{{ ${v} }}", "{{ value }}"),
            // Defaults; an empty value counts as unset.
            ("${v:-d}", "value"), ("${unset:-d}", "d"), ("${unset:=d}", "d"), ("${unset=d}", "d"), ("${v=d}", "value"),
            ("${e:-d}", "d"), ("${e=d}", "d"), ("${unset:-}", ""), ("${unset:?d}", "d"), ("${unset:+d}", "d"),
            ("${v:+d}", "value"), ("${unset:-${x}}", "name"), ("${unset:-a${x}b${v^}c}", "anamebValuec"),
            ("${unset:-${e:-${x}}}", "name"), ("${unset:-a b: $c}", "a b: $c"),
            ("${unset:-http://h:1/}", "http://h:1/"),
            // Case.
            ("${v^}", "Value"), ("${v^^}", "VALUE"), ("${mixed,}", "aBcD"), ("${mixed^}", "ABcD"),
            ("${mixed,,}", "abcd"), ("${unset^^}", ""), ("${umlaut^}", "Äöü"),
            // Length and parts.
            ("${#v}", "5"), ("${#unset}", "0"), ("${#umlaut}", "3"), ("${v:1}", "alue"), ("${v:1:2}", "al"),
            ("${v:9}", ""), ("${v:9:1}", ""), ("${v:0:99}", "value"), ("${v: -2}", "value"), ("${v:one}", "value"),
            ("${v:1:x}", "value"), ("${v:1:-1}", ""), ("${v:${n}}", "ue"), ("${v:${n}:1}", "u"),
            ("${v:99999999999999999999}", "value"),
            // Starts and ends.
            ("${path#*/}", "home/bozo/ideas.txt.gz"), ("${path##*/}", "ideas.txt.gz"),
            ("${path%.*}", "/home/bozo/ideas.txt"),
            ("${path%%.*}", "/home/bozo/ideas"), ("${v#x}", "value"), ("${v#v}", "alue"), ("${v%?}", "valu"),
            ("${v##[a-v]}", "alue"), ("${v%[^a]}", "valu"), ("${v#[}", "value"), ("${v#\\v}", "alue"),
            ("${v#*}", "alue"),
            ("${v##*}", ""), ("${v%${unset:-ue}}", "val"),
            // Replacements.
            ("${abc/abc/xyz}", "xyzABC123ABCabc"), ("${abc//abc/xyz}", "xyzABC123ABCxyz"),
            ("${abc/#abc/xyz}", "xyzABC123ABCabc"), ("${abc/%abc/xyz}", "abcABC123ABCxyz"),
            ("${abc/#ABC/x}", "abcABC123ABCabc"), ("${abc//ABC/}", "abc123abc"), ("${abc/zzz/x}", "abcABC123ABCabc"),
            ("${slash/\\//-}", "a-b/c"), ("${slash//\\//-}", "a-b-c"), ("${abc/123/${x}}", "abcABCnameABCabc"),
        ])
    func forms(text: String, expected: String) throws {
        #expect(try expand(text) == expected)
    }

    @Test(
        "refuses what is no substitution, with its place",
        arguments: [
            ("${v", 1, 1), ("a\nb ${v-d}", 2, 3), ("${v+d}", 1, 1), ("${}", 1, 1), ("${ v}", 1, 1), ("${v }", 1, 1),
            ("# a comment\n  # ${1:", 2, 5), ("${v:}", 1, 1), ("${v::1}", 1, 1), ("${v#}", 1, 1), ("${v^^^}", 1, 1),
            ("${v^,}", 1, 1), ("${#}", 1, 1), ("${#v", 1, 1), ("${#v:1}", 1, 1), ("${v/a}", 1, 1), ("${v//}", 1, 1),
            ("${v///b}", 1, 1), ("${v/a/b", 1, 1), ("é ${v:-${x}", 1, 3), ("${unset:-${!}}", 1, 10), ("${v[0]}", 1, 1),
            ("${@}", 1, 1), ("${v!}", 1, 1), ("x: 1\r\ny: ${", 2, 4),
        ])
    func refused(text: String, line: Int, column: Int) {
        let failure = #expect(throws: EnvironmentSubstitution.Failure.self) { try expand(text) }

        #expect(failure?.location == YAMLLocation(line: line, column: column))
    }

    @Test("never looks at the process")
    func process() throws {
        #expect(try expand("${PATH}${HOME}${USER}") == "")
    }

    @Test("ends when too much comes out, or takes too long")
    func limits() {
        let deep = String(repeating: "${unset:-", count: 40) + String(repeating: "}", count: 40)
        let large = String(repeating: "${abc}", count: 100)
        let product = "${unset:-\(String(repeating: "x", count: 60000))}"
        let slow = String(
            repeating: "${v/v/${v:0:${abc//a/" + String(repeating: "x", count: 3000) + "}}}", count: 60)
        let pattern = "${path#${unset:-" + String(repeating: "*a", count: 60000) + "}}"

        for (text, maximum) in [
            (deep, 1 << 18), (large, 600), (product, 1000), (String(repeating: pattern, count: 8), 1 << 18),
        ] {
            #expect(throws: EnvironmentSubstitution.Failure.self) { try expand(text, bytesMaximum: maximum) }
        }
        #expect(throws: Never.self) { try expand(slow) }
    }
}
