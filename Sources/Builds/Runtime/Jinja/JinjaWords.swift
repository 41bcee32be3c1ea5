/// Reads the words of one tag: expressions in Jinja's order of precedence.
struct JinjaWords {
    private let tokens: [JinjaToken]
    private let line: Int
    private let depthMaximum: Int
    private var position = 0
    private var depth = 0

    /// Words that are no names.
    static let reserved: Set<String> = ["if", "else", "and", "or", "not", "in", "is"]

    init(_ tokens: [JinjaToken], line: Int, limits: JinjaLimits) {
        self.tokens = tokens
        self.line = line
        depthMaximum = limits.depthMaximum
    }

    // MARK: - Words

    private var next: JinjaToken? { position < tokens.count ? tokens[position] : nil }

    /// The line of the word to come.
    private var here: Int { next?.line ?? line }

    private func error(_ message: String) -> JinjaError { JinjaError(line: here, message: message) }

    /// Takes this name when it is next.
    mutating func take(name: String) -> Bool { take(.name(name)) }

    private mutating func take(sign: String) -> Bool { take(.sign(sign)) }

    private mutating func take(_ kind: JinjaToken.Kind) -> Bool {
        guard next?.kind == kind else { return false }
        position += 1
        return true
    }

    /// Takes a name.
    mutating func expectName(_ what: String) throws(JinjaError) -> String {
        guard case .name(let name) = next?.kind else {
            throw error("\(what) is expected\(next.map { ", not \($0.description)" } ?? "")")
        }
        position += 1
        return name
    }

    /// Makes sure that nothing follows.
    func expectEnd() throws(JinjaError) {
        guard let next else { return }
        throw error("\(next.description) is not expected here")
    }

    private mutating func expect(sign: String) throws(JinjaError) {
        guard take(sign: sign) else {
            throw error("'\(sign)' is expected\(next.map { ", not \($0.description)" } ?? "")")
        }
    }

    // MARK: - Expressions

    /// `a if b else c`, and all that binds tighter.
    mutating func expression() throws(JinjaError) -> JinjaExpression {
        depth += 1
        defer { depth -= 1 }
        guard depth <= depthMaximum else { throw error("the expression is nested too deep") }
        var result = try or()
        while take(name: "if") {
            let condition = try or()
            result = .conditional(result, if: condition, else: take(name: "else") ? try expression() : nil)
        }
        return result
    }

    private mutating func or() throws(JinjaError) -> JinjaExpression {
        try chain(of: "or", JinjaExpression.or) { (words) throws(JinjaError) in try words.and() }
    }

    private mutating func and() throws(JinjaError) -> JinjaExpression {
        try chain(of: "and", JinjaExpression.and) { (words) throws(JinjaError) in try words.not() }
    }

    /// `a or b or c`; the lexer's limit on words bounds how deep the tree gets.
    private mutating func chain(
        of name: String, _ make: (JinjaExpression, JinjaExpression) -> JinjaExpression,
        _ operand: (inout JinjaWords) throws(JinjaError) -> JinjaExpression
    ) throws(JinjaError) -> JinjaExpression {
        var result = try operand(&self)
        while take(name: name) { result = make(result, try operand(&self)) }
        return result
    }

    private mutating func not() throws(JinjaError) -> JinjaExpression {
        guard take(name: "not") else { return try comparison() }
        depth += 1
        defer { depth -= 1 }
        guard depth <= depthMaximum else { throw error("the expression is nested too deep") }
        return .not(try not())
    }

    private mutating func comparison() throws(JinjaError) -> JinjaExpression {
        let first = try concatenation()
        var rest: [(JinjaExpression.Comparison, JinjaExpression)] = []
        while let comparison = takeComparison() {
            rest.append((comparison, try concatenation()))
        }
        return rest.isEmpty ? first : .comparison(first, rest)
    }

    private mutating func takeComparison() -> JinjaExpression.Comparison? {
        switch next?.kind {
        case .sign(let sign):
            guard let comparison = JinjaExpression.Comparison(rawValue: sign) else { return nil }
            position += 1
            return comparison
        case .name("in"):
            position += 1
            return .isIn
        case .name("not") where position + 1 < tokens.count && tokens[position + 1].kind == .name("in"):
            position += 2
            return .isNotIn
        default: return nil
        }
    }

    private mutating func concatenation() throws(JinjaError) -> JinjaExpression {
        var result = try filtered()
        while take(sign: "~") { result = .concatenation(result, try filtered()) }
        return result
    }

    /// An operand with its attributes, filters and tests.
    private mutating func filtered() throws(JinjaError) -> JinjaExpression {
        var result = try operand()
        while true {
            if take(sign: ".") {
                result = .attribute(of: result, try expectName("the name of an attribute"))
            } else if take(sign: "[") {
                let item = try expression()
                try expect(sign: "]")
                result = .item(of: result, item)
            } else if take(sign: "|") {
                result = try filter(result)
            } else if take(name: "is") {
                result = try test(result)
            } else if next?.kind == .sign("(") {
                throw error("calls are not known here")
            } else {
                return result
            }
        }
    }

    private mutating func filter(_ value: JinjaExpression) throws(JinjaError) -> JinjaExpression {
        let line = here
        let name = try expectName("the name of a filter")
        guard let filter = JinjaFilter(named: name) else {
            throw JinjaError(
                line: line, message: "the filter '\(name)' is not known; known: \(JinjaFilter.known)")
        }
        var arguments: [JinjaExpression] = []
        if take(sign: "(") {
            while !take(sign: ")") {
                if !arguments.isEmpty { try expect(sign: ",") }
                if !arguments.isEmpty, take(sign: ")") { break }
                arguments.append(try expression())
            }
        } else if case .text(let text) = next?.kind {
            // Crinja's form, which FaaSO's own runtimes use.
            position += 1
            arguments = [.literal(.text(text))]
        }
        guard filter.arguments.contains(arguments.count) else {
            throw JinjaError(line: line, message: "the filter '\(name)' takes \(filter.argumentsInWords)")
        }
        return .filter(filter, value, arguments)
    }

    private mutating func test(_ value: JinjaExpression) throws(JinjaError) -> JinjaExpression {
        let isNegated = take(name: "not")
        let line = here
        let name = try expectName("the name of a test")
        guard let test = JinjaTest(rawValue: name) else {
            let known = JinjaTest.allCases.map(\.rawValue).joined(separator: ", ")
            throw JinjaError(line: line, message: "the test '\(name)' is not known; known: \(known)")
        }
        return .test(test, value, isNegated: isNegated)
    }

    private mutating func operand() throws(JinjaError) -> JinjaExpression {
        guard let token = next else { throw error("a value is expected") }
        position += 1
        switch token.kind {
        case .integer(let value): return .literal(.integer(value))
        case .text(var text):
            // Texts side by side are one, as in Python.
            while case .text(let more) = next?.kind {
                position += 1
                text += more
            }
            return .literal(.text(text))
        case .name(let name): return try operand(named: name, token)
        case .sign("("):
            let inner = try expression()
            try expect(sign: ")")
            return inner
        case .sign("["):
            var elements: [JinjaExpression] = []
            while !take(sign: "]") {
                if !elements.isEmpty { try expect(sign: ",") }
                if !elements.isEmpty, take(sign: "]") { break }
                elements.append(try expression())
            }
            return .list(elements)
        case .sign: throw JinjaError(line: token.line, message: "\(token.description) is not expected here")
        }
    }

    private func operand(named name: String, _ token: JinjaToken) throws(JinjaError) -> JinjaExpression {
        switch name {
        case "true", "True": return .literal(.bool(true))
        case "false", "False": return .literal(.bool(false))
        case "none", "None": return .literal(.none)
        default:
            guard !Self.reserved.contains(name) else {
                throw JinjaError(line: token.line, message: "'\(name)' is not expected here")
            }
            return .name(name)
        }
    }
}
