/// Walks through a template's tree with values for its names.
struct JinjaRenderer {
    private var variables: [String: JinjaValue]
    private let limits: JinjaLimits
    private var output: [UInt8] = []
    private var steps = 0

    init(variables: [String: JinjaValue], limits: JinjaLimits) {
        self.variables = variables
        self.limits = limits
    }

    /// Renders all of it.
    mutating func render(_ nodes: [JinjaNode]) throws(JinjaError) -> [UInt8] {
        try walk(nodes)
        return output
    }

    private mutating func walk(_ nodes: [JinjaNode]) throws(JinjaError) {
        for node in nodes {
            switch node {
            case .text(let text): try add(text, line: 1)
            case .output(let expression, let line):
                try add(Array(try value(of: expression, line).rendered.utf8), line: line)
            case .choice(let branches, let otherwise):
                try walk(try chosen(branches) ?? otherwise)
            case .loop(let variable, let over, let line, let body, let otherwise):
                try loop(variable, over, line, body, otherwise)
            }
        }
    }

    private mutating func chosen(_ branches: [JinjaNode.Branch]) throws(JinjaError) -> [JinjaNode]? {
        for branch in branches where try value(of: branch.condition, branch.line).isTrue { return branch.body }
        return nil
    }

    private mutating func loop(
        _ variable: String, _ over: JinjaExpression, _ line: Int, _ body: [JinjaNode], _ otherwise: [JinjaNode]
    ) throws(JinjaError) {
        let collection = try value(of: over, line)
        try step(line, bytes: collection.weight)
        let elements = try attempt(line) { () throws(JinjaFilterError) in try collection.elements() }
        guard !elements.isEmpty else { return try walk(otherwise) }
        let (outer, outerLoop) = (variables[variable], variables["loop"])
        for (index, element) in elements.enumerated() {
            try step(line)
            variables[variable] = element
            variables["loop"] = .map([
                "index": .integer(index + 1), "index0": .integer(index), "length": .integer(elements.count),
                "first": .bool(index == 0), "last": .bool(index == elements.count - 1),
            ])
            try walk(body)
        }
        variables[variable] = outer
        variables["loop"] = outerLoop
    }

    private mutating func add(_ bytes: [UInt8], line: Int) throws(JinjaError) {
        try step(line)
        guard output.count + bytes.count <= limits.outputBytesMaximum else {
            throw JinjaError(line: line, message: "the result has more than \(limits.outputBytesMaximum) bytes")
        }
        output += bytes
    }

    /// Counts one step, and more for work on many bytes.
    private mutating func step(_ line: Int, bytes: Int = 0) throws(JinjaError) {
        steps += 1 + bytes / 1024
        guard steps <= limits.stepsMaximum else {
            throw JinjaError(line: line, message: "the template takes more than \(limits.stepsMaximum) steps")
        }
    }

    private func attempt<R>(
        _ line: Int, _ body: () throws(JinjaFilterError) -> R
    ) throws(JinjaError) -> R {
        do { return try body() } catch { throw JinjaError(line: line, message: error.message) }
    }

    // MARK: - Values

    private mutating func value(of expression: JinjaExpression, _ line: Int) throws(JinjaError) -> JinjaValue {
        try step(line)
        switch expression {
        case .literal(let value): return value
        case .list(let elements):
            var values: [JinjaValue] = []
            for element in elements { values.append(try value(of: element, line)) }
            return .list(values)
        case .name(let name): return variables[name] ?? .undefined(name)
        case .attribute(let owner, let name):
            return try member(name, of: try value(of: owner, line), line)
        case .item(let owner, let key):
            return try item(try value(of: key, line), of: try value(of: owner, line), line)
        case .filter(let filter, let operand, let arguments):
            let operand = try value(of: operand, line)
            var values: [JinjaValue] = []
            for argument in arguments { values.append(try value(of: argument, line)) }
            // Searching takes, at worst, as long as both texts multiplied.
            try step(line, bytes: operand.weight * max(1, filter == .replace ? values[0].weight : 1))
            let maximum = limits.outputBytesMaximum
            return try attempt(line) { () throws(JinjaFilterError) in
                try filter.apply(to: operand, values, bytesMaximum: maximum)
            }
        case .test(let test, let operand, let isNegated):
            return .bool(Self.passes(test, try value(of: operand, line)) != isNegated)
        case .not(let operand): return .bool(!(try value(of: operand, line).isTrue))
        case .and(let left, let right):
            let first = try value(of: left, line)
            return first.isTrue ? try value(of: right, line) : first
        case .or(let left, let right):
            let first = try value(of: left, line)
            return first.isTrue ? first : try value(of: right, line)
        case .concatenation(let left, let right):
            let text = try value(of: left, line).rendered + (try value(of: right, line).rendered)
            try step(line, bytes: text.utf8.count)
            guard text.utf8.count <= limits.outputBytesMaximum else {
                throw JinjaError(line: line, message: JinjaFilterError.tooLong.message)
            }
            return .text(text)
        case .comparison(let first, let rest): return try compare(first, rest, line)
        case .conditional(let yes, let condition, let no):
            if try value(of: condition, line).isTrue { return try value(of: yes, line) }
            return try no.map { (other) throws(JinjaError) in try value(of: other, line) } ?? .undefined("else")
        }
    }

    private func member(_ name: String, of owner: JinjaValue, _ line: Int) throws(JinjaError) -> JinjaValue {
        switch owner {
        case .map(let members): return members[name] ?? .undefined(name)
        case .undefined(let missing): throw JinjaError(line: line, message: "'\(missing)' is not defined")
        default: return .undefined(name)
        }
    }

    private func item(_ key: JinjaValue, of owner: JinjaValue, _ line: Int) throws(JinjaError) -> JinjaValue {
        switch (owner, key) {
        case (.undefined(let missing), _): throw JinjaError(line: line, message: "'\(missing)' is not defined")
        case (.map(let members), .text(let name)): return members[name] ?? .undefined(name)
        case (.list(let elements), .integer(let index)):
            return elements.indices.contains(index) ? elements[index] : .undefined(String(index))
        case (.text(let text), .integer(let index)):
            let scalars = Array(text.unicodeScalars)
            return scalars.indices.contains(index) ? .text(String(scalars[index])) : .undefined(String(index))
        default: return .undefined(key.rendered)
        }
    }

    private static func passes(_ test: JinjaTest, _ value: JinjaValue) -> Bool {
        switch (test, value) {
        case (.defined, .undefined): false
        case (.defined, _): true
        case (.undefined, .undefined): true
        case (.none, .none): true
        case (.string, .text): true
        // As in Jinja2: whatever has a length and elements.
        case (.sequence, .list), (.sequence, .text), (.sequence, .map), (.sequence, .undefined): true
        case (.mapping, .map): true
        default: false
        }
    }

    private mutating func compare(
        _ first: JinjaExpression, _ rest: [(JinjaExpression.Comparison, JinjaExpression)], _ line: Int
    ) throws(JinjaError) -> JinjaValue {
        var left = try value(of: first, line)
        for (comparison, operand) in rest {
            let right = try value(of: operand, line)
            let isSearch = comparison == .isIn || comparison == .isNotIn
            try step(line, bytes: max(1, left.weight) * (isSearch ? max(1, right.weight) : 1))
            guard try holds(comparison, left, right, line) else { return .bool(false) }
            left = right
        }
        return .bool(true)
    }

    private func holds(
        _ comparison: JinjaExpression.Comparison, _ left: JinjaValue, _ right: JinjaValue, _ line: Int
    ) throws(JinjaError) -> Bool {
        switch comparison {
        case .equal: return left.isEqual(to: right)
        case .notEqual: return !left.isEqual(to: right)
        case .isIn: return try contains(right, left, line)
        case .isNotIn: return !(try contains(right, left, line))
        case .less: return try order(left, right, line) < 0
        case .greater: return try order(left, right, line) > 0
        case .atMost: return try order(left, right, line) <= 0
        case .atLeast: return try order(left, right, line) >= 0
        }
    }

    private func contains(_ whole: JinjaValue, _ part: JinjaValue, _ line: Int) throws(JinjaError) -> Bool {
        if case .text(let text) = whole {
            guard case .text(let wanted) = part else {
                throw JinjaError(line: line, message: "only a text can be in a text")
            }
            let (bytes, sought) = (Array(text.utf8), Array(wanted.utf8))
            guard !sought.isEmpty else { return true }
            return bytes.indices.contains { bytes[$0...].starts(with: sought) }
        }
        let elements = try attempt(line) { () throws(JinjaFilterError) in try whole.elements() }
        return elements.contains { $0.isEqual(to: part) }
    }

    /// Below, equal or above zero, as in C.
    private func order(_ left: JinjaValue, _ right: JinjaValue, _ line: Int) throws(JinjaError) -> Int {
        if let first = left.numeric, let second = right.numeric { return first < second ? -1 : first > second ? 1 : 0 }
        guard case .text(let first) = left, case .text(let second) = right else {
            throw JinjaError(line: line, message: "these two values have no order")
        }
        if first.utf8.elementsEqual(second.utf8) { return 0 }
        return first.utf8.lexicographicallyPrecedes(second.utf8) ? -1 : 1
    }
}
