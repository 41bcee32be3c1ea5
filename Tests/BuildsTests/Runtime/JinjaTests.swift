import Glibc
import JSON
import Testing

@testable import Builds

@Suite("Jinja")
struct JinjaTests {
    /// What the templates below see.
    static let variables: [String: JSONValue] = [
        "name": "my-shop (beta) eSSAY", "runtime": "flask", "empty": "", "number": 3, "yes": true, "no": false,
        "nothing": .null,
        "options": [
            "ship_packages": ["curl", "libpq5"], "text": "a b", "none": [],
            "copy_from_build": ["bin /app/bin", "public /app/public"], "quoted": ["it's", "\"x\"", "tab\t\\"],
        ],
    ]

    /// Templates that Jinja2 and Farebox must render alike.
    static let common = [
        "", "plain", "one\n", "two\n\n", "a\r\nb\rc\n", "{", "{ {x} }", "}} %} #}", "ünï → 語\n",
        "{{ name }}", "{{name}}", "{{ runtime }}-{{ name|title }}", "{{ name | title }}",
        "{{ name|upper }} {{ name|lower }}",
        "{{ 'ß straße'|upper }} {{ 'o’neil {x} <y> [z'|title }}",
        "{{ missing }}|{{ options.missing }}|{{ options['missing'] }}",
        "{{ options.ship_packages | join(\" \") }}", "{{ options.ship_packages|join }}",
        "{{ options.ship_packages | join(', ') | upper }}",
        "{{ options.missing | join(' ') }}", "{{ options.text | join('-') }}", "{{ options.quoted }}",
        "{{ options.ship_packages }}", "{{ options.none }}", "{{ number }} {{ yes }} {{ no }} {{ nothing }}",
        "{{ missing | default('x') }} {{ missing|d('y') }} {{ empty|default('z') }} {{ empty|default('z', true) }}",
        "{{ name | replace('-', '_') }} {{ 'aaa'|replace('aa','b') }} {{ 'ab'|replace('','.') }} {{ ''|replace('','x') }}",
        "[{{ '  x \n'|trim }}] {{ options.ship_packages|length }} {{ name|count }} {{ missing|length }}",
        "{% for p in options.copy_from_build %}COPY --from=build {{ p }}\n{% endfor %}",
        "{% for p in options.copy_from_build -%}\n  {{ p }}\n{%- endfor %}\nend\n",
        "{% for p in options.missing %}x{% else %}nothing{% endfor %}", "{% for c in 'añb' %}<{{ c }}>{% endfor %}",
        "{% for p in options.ship_packages %}{{ loop.index }}/{{ loop.length }}{{ '' if loop.last else ', ' }}{% endfor %}",
        "{% for a in [1, 2] %}{% for b in ['x', 'y',] %}{{ a }}{{ b }}{{ loop.first }} {% endfor %}{{ loop.index0 }};{% endfor %}{{ a }}",
        "{% if options.ship_packages %}yes{% else %}no{% endif %}",
        "{% if options.none %}yes{% elif number == 3 %}three{% else %}no{% endif %}",
        "{% if missing %}a{% endif %}b", "{%- if yes -%}  x  {%- endif -%}  y", "  {%- if yes %} x {% endif -%}  y\n\n",
        "a {# comment {{ x }} #} b", "a {#- strip -#} b", "a\n{# one\ntwo #}\nb", "{#-#}", "x{#--#}y",
        "{{ 'a' if no else 'b' }} {{ 'a' if no }} {{ 'a' if yes }}",
        "{{ not no }} {{ not missing }} {{ no or 'x' }} {{ yes and 'y' }} {{ empty and 1 }}",
        "{{ 1 == 1 }} {{ 1 != 1 }} {{ 'a' == 'a' }} {{ 1 == true }} {{ 'a' in 'cat' }} {{ 'x' not in options.ship_packages }}",
        "{{ 'curl' in options.ship_packages }} {{ 'text' in options }} {{ 1 < 2 < 3 }} {{ 3 >= 4 }} {{ 'a' < 'b' }} {{ [1] == [1] }}",
        "{{ 'a' ~ 1 ~ missing ~ 'b' }} {{ 'a' 'b' }} {{ (1 if yes else 2) }} {{ options.ship_packages[0] }} {{ 'xyz'[1] }}",
        "{{ name is defined }} {{ missing is defined }} {{ missing is not defined }} {{ missing is undefined }} {{ nothing is none }}",
        "{{ name is string }} {{ options is mapping }} {{ options.none is sequence }} {{ number is string }} {{ name is sequence }}",
        "{{ '}}' }} {{ \"%}\" }} {{ 'it\\'s' }} {{ 'a\\nb' }} {{ '\\x41\\u00e9\\d' }}",
        "{% raw %}{{ x }} {% if %}{% endraw %} y",
        "{%- raw -%}  {{ x }}  {%- endraw -%}  y", "{{ 1_000 }}",
        "a  {{- name -}}\n b", "{%+ if yes %}x{% endif %}", "{{ \"a\"\n }}\n{{ 2 }}",
        "{% for k in options %}{{ k in options }}{% endfor %}",
        "{% if 'b' in options.text and not (no or nothing) %}ok{% endif %}",
        "{{ options.ship_packages|join(' ')|title|replace(' ', '') }}",
        "{{ none }} {{ True }} {{ [] }} {{ ['a', [1, none]] }}",
    ]

    @Test("renders what Jinja2 renders", .enabled(if: access("/usr/lib/python3/dist-packages/jinja2", R_OK) == 0))
    func likeJinja2() async throws {
        let folder = try TestFolder()
        let script = """
            import json, sys
            from jinja2 import Environment
            with open("in.json") as file:
                given = json.load(file)
            print(json.dumps([Environment().from_string(t).render(given["variables"]) for t in given["templates"]]))
            """
        try folder.write(
            JSONWriter().write([
                "templates": .array(Self.common.map { .string($0) }),
                "variables": .object(JSONObject(Self.variables)),
            ]), to: "in.json")
        let result = try await ChildProcess(
            program: "/usr/bin/python3", arguments: ["-c", script],
            environment: ["PATH": "/usr/bin", "LC_ALL": "C.UTF-8"],
            workingDirectory: folder.path, timeout: .seconds(120)
        ).run()
        try #require(result.status == 0, "\(result.errors)")
        let expected = try #require(try JSONReader().parse(result.output).arrayValue)

        for (template, expected) in zip(Self.common, expected) {
            let rendered = Result { try render(template) }

            #expect(
                expected.stringValue?.utf8.elementsEqual((try? rendered.get().utf8) ?? "<error>".utf8) == true,
                "\(template): expected \(expected), rendered \(rendered)")
        }
    }

    @Test(
        "takes a filter's argument without parentheses, as Crinja does",
        arguments: [
            ("{{ options.ship_packages | join \" \" }}", "curl libpq5"),
            ("{{ options.ship_packages | join ', ' | upper }}", "CURL, LIBPQ5"), ("{{ missing | default 'x' }}", "x"),
        ])
    func crinja(template: String, expected: String) throws {
        #expect(try render(template) == expected)
    }

    @Test(
        "names the line of what is wrong",
        arguments: [
            ("\n{{ name", "line 2: a tag has no end '}}'"), ("{{ }}", "line 1: a value is expected"),
            ("\n\n{{ name | shout }}", "line 3: the filter 'shout' is not known"),
            ("{% if yes %}", "line 1: 'if' has no 'endif'"),
            ("a\n{% endfor %}", "line 2: 'endfor' has nothing to end here"),
            ("{% include 'x' %}", "line 1: the tag 'include'"),
            ("{% for x in y %}\n{% endif %}", "line 2: 'endif' comes where 'else' or 'endfor' is expected"),
            ("{{ a b }}", "line 1: 'b' is not expected here"), ("{{ name.x.y }}", "line 1: 'x' is not defined"),
            ("{{\n missing.x }}", "'missing' is not defined"), ("{{ range(9) }}", "line 1: calls are not known here"),
            ("{# open", "line 1: a comment has no end"), ("\n{% raw %}", "line 2: 'raw' has no end"),
            ("{{ 'open }}", "line 1: a text has no end"),
            ("{% for x in 3 %}{% endfor %}", "line 1: there is nothing in this value"),
            ("{{ 1 < 'a' }}", "line 1: these two values have no order"),
            ("{{ 99999999999999999999 }}", "line 1: this is no whole number"),
            ("{{ name | replace('a') }}", "line 1: the filter 'replace' takes 2 arguments"),
            ("{{ '\\xZZ' }}", "line 1: a text has an escape"),
            ("{% for if in x %}{% endfor %}", "line 1: 'if' cannot be the name of a loop"),
            ("{{ $ }}", "line 1: '$' is not known here"),
        ])
    func errors(template: String, message: String) {
        let error = #expect(throws: JinjaError.self) { try render(template) }

        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test("ends work that grows without bound")
    func limits() {
        let nine = "[" + Array(repeating: "1", count: 90).joined(separator: ",") + "]"
        let templates = [
            String(repeating: "{% for a in \(nine) %}", count: 4) + "x" + String(repeating: "{% endfor %}", count: 4),
            String(repeating: "{% if yes %}", count: 1000) + String(repeating: "{% endif %}", count: 1000),
            "{{ " + String(repeating: "(", count: 250) + "1" + String(repeating: ")", count: 40) + " }}",
            "{{ " + String(repeating: "not ", count: 250) + "1 }}",
            "{{ " + String(repeating: "1 ~ ", count: 1000) + "1 }}",
            "{% for a in \(nine) %}{% for a in \(nine) %}{{ '" + String(repeating: "long", count: 2000)
                + "' }}{% endfor %}{% endfor %}",
            String(repeating: "x", count: 300 << 10),
        ]
        for template in templates { #expect(throws: JinjaError.self) { try render(template) } }
    }

    @Test("never traps on bytes that are cut anywhere")
    func truncated() {
        let whole = Array(Self.common.joined(separator: "\n").utf8)
        for count in stride(from: 0, to: whole.count, by: 11) {
            let bytes = Array(whole.prefix(count))
            _ = Result { try JinjaTemplate(bytes).render(["name": .text("x")]) }
        }
        #expect(throws: JinjaError.self) { try JinjaTemplate([0xFF, 0xFE]) }
    }

    private func render(_ template: String) throws -> String {
        let bytes = try JinjaTemplate(Array(template.utf8)).render(Self.variables.mapValues(Self.value))
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func value(_ json: JSONValue) -> JinjaValue {
        switch json {
        case .null: .none
        case .bool(let value): .bool(value)
        case .integer(let value): .integer(Int(value))
        case .array(let elements): .list(elements.map(value))
        case .object(let members): .map([String: JSONValue](members).mapValues(value))
        default: .text(json.stringValue ?? "")
        }
    }
}
