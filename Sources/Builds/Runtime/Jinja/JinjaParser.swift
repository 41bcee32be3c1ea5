/// Makes a tree of the pieces of a template.
struct JinjaParser {
    private let pieces: [JinjaPiece]
    private let limits: JinjaLimits
    private var position = 0
    private var depth = 0

    init(_ pieces: [JinjaPiece], limits: JinjaLimits) {
        self.pieces = pieces
        self.limits = limits
    }

    /// Reads all of it.
    mutating func template() throws(JinjaError) -> [JinjaNode] {
        let (nodes, end) = try read(until: [])
        if let end { throw JinjaError(line: end.line, message: "'\(end.name)' has nothing to end here") }
        return nodes
    }

    /// A tag that ends or divides a body.
    private struct End {
        let name: String
        let line: Int
        var words: JinjaWords
    }

    private static let ends: Set<String> = ["elif", "else", "endif", "endfor", "endraw"]

    /// Reads nodes up to one of the given tags, or to the end of the template when there are none.
    private mutating func read(until wanted: Set<String>) throws(JinjaError) -> ([JinjaNode], End?) {
        var nodes: [JinjaNode] = []
        while position < pieces.count {
            let piece = pieces[position]
            position += 1
            switch piece {
            case .text(let text): nodes.append(.text(text))
            case .output(let tokens, let line):
                var words = JinjaWords(tokens, line: line, limits: limits)
                let expression = try words.expression()
                try words.expectEnd()
                nodes.append(.output(expression, line: line))
            case .statement(let tokens, let line):
                var words = JinjaWords(tokens, line: line, limits: limits)
                let name = try words.expectName("a tag")
                if Self.ends.contains(name) {
                    let end = End(name: name, line: line, words: words)
                    guard wanted.contains(name) else {
                        if wanted.isEmpty { return (nodes, end) }
                        throw JinjaError(
                            line: line, message: "'\(name)' comes where \(Self.list(wanted)) is expected")
                    }
                    return (nodes, end)
                }
                nodes.append(try statement(name, &words, line: line))
            }
        }
        return (nodes, nil)
    }

    private mutating func statement(
        _ name: String, _ words: inout JinjaWords, line: Int
    ) throws(JinjaError) -> JinjaNode {
        guard depth < limits.depthMaximum else {
            throw JinjaError(line: line, message: "tags are nested more than \(limits.depthMaximum) deep")
        }
        depth += 1
        defer { depth -= 1 }
        switch name {
        case "if": return try choice(&words, line: line)
        case "for": return try loop(&words, line: line)
        default:
            throw JinjaError(line: line, message: "the tag '\(name)' is not known; known: for, if, raw")
        }
    }

    private mutating func choice(_ words: inout JinjaWords, line: Int) throws(JinjaError) -> JinjaNode {
        var branches: [JinjaNode.Branch] = []
        var condition = try words.expression()
        try words.expectEnd()
        var begun = line
        while true {
            let (body, end) = try read(until: ["elif", "else", "endif"])
            branches.append(JinjaNode.Branch(condition: condition, line: begun, body: body))
            guard var end else { throw JinjaError(line: line, message: "'if' has no 'endif'") }
            switch end.name {
            case "elif":
                condition = try end.words.expression()
                try end.words.expectEnd()
                begun = end.line
            case "else":
                try end.words.expectEnd()
                return .choice(branches, otherwise: try self.body(until: "endif", of: "if", line: line))
            default:
                try end.words.expectEnd()
                return .choice(branches, otherwise: [])
            }
        }
    }

    private mutating func loop(_ words: inout JinjaWords, line: Int) throws(JinjaError) -> JinjaNode {
        let variable = try words.expectName("a name for the loop")
        guard !JinjaWords.reserved.contains(variable), variable != "loop" else {
            throw JinjaError(line: line, message: "'\(variable)' cannot be the name of a loop")
        }
        guard words.take(name: "in") else {
            throw JinjaError(line: line, message: "'for \(variable)' must go on with 'in'")
        }
        // A whole `a if b else c` would take the `if` that filters a loop, which is not known here.
        let over = try words.expression()
        try words.expectEnd()
        let (body, end) = try read(until: ["else", "endfor"])
        guard let end else { throw JinjaError(line: line, message: "'for' has no 'endfor'") }
        try end.words.expectEnd()
        let otherwise = end.name == "else" ? try self.body(until: "endfor", of: "for", line: line) : []
        return .loop(variable: variable, over: over, line: line, body: body, otherwise: otherwise)
    }

    private mutating func body(until name: String, of tag: String, line: Int) throws(JinjaError) -> [JinjaNode] {
        let (body, end) = try read(until: [name])
        guard let end else { throw JinjaError(line: line, message: "'\(tag)' has no '\(name)'") }
        try end.words.expectEnd()
        return body
    }

    private static func list(_ names: Set<String>) -> String {
        names.sorted().map { "'\($0)'" }.joined(separator: " or ")
    }
}
