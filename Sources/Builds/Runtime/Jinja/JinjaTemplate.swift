/// A template in the part of Jinja that FaaSO's runtimes are written in.
///
/// Outputs `{{ … }}`, comments `{# … #}`, the tags `for`, `if`, `elif`, `else` and `raw`, whitespace control by `-`, and the
/// operators and filters that ``JinjaParser`` and ``JinjaFilter`` know, with the meaning and the rules for white space
/// that Jinja2 3 has by default: one newline at the end goes, all newlines become `\n`, and nothing is escaped. Beyond Jinja2, a
/// filter may have its one argument without parentheses, as Crinja allows: `{{ list | join " " }}`. There are no calls,
/// no assignments and no includes, and all work is bounded, so a template can be anybody's.
struct JinjaTemplate: Sendable {
    private let nodes: [JinjaNode]
    private let limits: JinjaLimits

    /// Reads a template.
    ///
    /// - Throws: ``JinjaError``.
    init(_ bytes: [UInt8], limits: JinjaLimits = JinjaLimits()) throws(JinjaError) {
        guard bytes.count <= limits.templateBytesMaximum else {
            throw JinjaError(line: 1, message: "the template has more than \(limits.templateBytesMaximum) bytes")
        }
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw JinjaError(line: 1, message: "the template is not UTF-8")
        }
        var lexer = JinjaLexer(Self.normalised(bytes))
        var parser = JinjaParser(try lexer.pieces(), limits: limits)
        nodes = try parser.template()
        self.limits = limits
    }

    /// Renders the template.
    ///
    /// - Parameter variables: What its names mean.
    /// - Throws: ``JinjaError``.
    func render(_ variables: [String: JinjaValue]) throws(JinjaError) -> [UInt8] {
        var renderer = JinjaRenderer(variables: variables, limits: limits)
        return try renderer.render(nodes)
    }

    /// Newlines as Jinja2 makes them: `\r\n` and `\r` become `\n`, and one at the very end goes.
    private static func normalised(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var wasReturn = false
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\r"): result.append(ASCII.newline)
            case ASCII.newline where wasReturn: break
            default: result.append(byte)
            }
            wasReturn = byte == UInt8(ascii: "\r")
        }
        if result.last == ASCII.newline { result.removeLast() }
        return result
    }
}
