/// A part of a template, in the order of the text.
indirect enum JinjaNode: Sendable {
    /// One arm of an `if`.
    struct Branch: Sendable {
        let condition: JinjaExpression
        let line: Int
        let body: [JinjaNode]
    }

    case text([UInt8])
    case output(JinjaExpression, line: Int)
    case choice([Branch], otherwise: [JinjaNode])
    /// `otherwise` is rendered when there is nothing to go through.
    case loop(variable: String, over: JinjaExpression, line: Int, body: [JinjaNode], otherwise: [JinjaNode])
}

/// Something that has a value.
indirect enum JinjaExpression: Sendable {
    /// What two values can be compared by.
    enum Comparison: String, Sendable {
        case equal = "=="
        case notEqual = "!="
        case less = "<"
        case greater = ">"
        case atMost = "<="
        case atLeast = ">="
        case isIn = "in"
        case isNotIn = "not in"
    }

    case literal(JinjaValue)
    case list([JinjaExpression])
    case name(String)
    case attribute(of: JinjaExpression, String)
    case item(of: JinjaExpression, JinjaExpression)
    case filter(JinjaFilter, JinjaExpression, [JinjaExpression])
    case test(JinjaTest, JinjaExpression, isNegated: Bool)
    case not(JinjaExpression)
    case and(JinjaExpression, JinjaExpression)
    case or(JinjaExpression, JinjaExpression)
    case concatenation(JinjaExpression, JinjaExpression)
    /// `a < b < c` compares each with the next.
    case comparison(JinjaExpression, [(Comparison, JinjaExpression)])
    /// Nil stands for no `else`.
    case conditional(JinjaExpression, if: JinjaExpression, else: JinjaExpression?)
}

/// What can be asked behind `is`.
enum JinjaTest: String, Sendable, CaseIterable {
    case defined, undefined, none, string, sequence, mapping
}
