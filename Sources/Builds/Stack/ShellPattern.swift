/// A pattern of `${v#p}`: `*` for any characters, `?` for one, `[a-z]` and `[^a-z]` for one of a set.
///
/// It runs as a set of states over the text, so that no pattern can make it go back.
struct ShellPattern {
    private enum Token {
        case literal(Unicode.Scalar)
        case one
        case any
        case set([ClosedRange<Unicode.Scalar>], isNegated: Bool)
    }

    private let tokens: [Token]

    /// Reads a pattern; nil for an unfinished set or a backslash at the end.
    init?(_ text: String) {
        var input = Array(text.unicodeScalars)[...]
        var tokens: [Token] = []
        while let scalar = input.popFirst() {
            switch scalar {
            case "*": tokens.append(.any)
            case "?": tokens.append(.one)
            case "[":
                guard let set = Self.set(&input) else { return nil }
                tokens.append(set)
            case "\\":
                guard let next = input.popFirst() else { return nil }
                tokens.append(.literal(next))
            default: tokens.append(.literal(scalar))
            }
        }
        self.tokens = tokens
    }

    private init(_ tokens: [Token]) { self.tokens = tokens }

    /// The pattern for texts that are read from their end.
    var reversed: ShellPattern { ShellPattern(tokens.reversed()) }

    /// Steps for each character of a text.
    var cost: Int { tokens.count + 1 }

    /// The lengths of all starts of a text, longer than nothing, that the pattern matches.
    func prefixLengths(of text: some Sequence<Unicode.Scalar>) -> [Int] {
        var lengths: [Int] = []
        var states = Array(repeating: false, count: tokens.count + 1)
        states[0] = true
        skipRuns(&states)
        for (index, scalar) in text.enumerated() {
            var next = Array(repeating: false, count: tokens.count + 1)
            for (state, token) in tokens.enumerated() where states[state] {
                switch token {
                case .any: next[state] = true
                case .one: next[state + 1] = true
                case .literal(let literal): if literal == scalar { next[state + 1] = true }
                case .set(let ranges, let isNegated):
                    if ranges.contains(where: { $0.contains(scalar) }) != isNegated { next[state + 1] = true }
                }
            }
            skipRuns(&next)
            states = next
            if states[tokens.count] { lengths.append(index + 1) }
        }
        return lengths
    }

    /// A `*` may also stand for nothing.
    private func skipRuns(_ states: inout [Bool]) {
        for (state, token) in tokens.enumerated() where states[state] {
            if case .any = token { states[state + 1] = true }
        }
    }

    /// The rest of a set, up to its `]`; one that comes first belongs to the set.
    private static func set(_ input: inout ArraySlice<Unicode.Scalar>) -> Token? {
        var ranges: [ClosedRange<Unicode.Scalar>] = []
        let isNegated = input.first == "^" || input.first == "!"
        if isNegated { input.removeFirst() }
        while let low = input.popFirst() {
            if low == "]", !ranges.isEmpty { return .set(ranges, isNegated: isNegated) }
            guard input.first == "-", let high = input.dropFirst().first, high != "]" else {
                ranges.append(low...low)
                continue
            }
            input.removeFirst(2)
            guard low <= high else { return nil }
            ranges.append(low...high)
        }
        return nil
    }
}
