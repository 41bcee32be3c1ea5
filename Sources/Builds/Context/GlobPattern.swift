/// One path pattern with `*`, `?`, `[a-z]` and `**`, matched in time proportional to path times pattern.
///
/// The pattern runs as a set of states over the bytes of the path, so no pattern can make it backtrack.
struct GlobPattern: Sendable {
    private enum Token {
        case literal(UInt8)
        case anyButSlash
        case run  // * : any number of bytes that are not a slash
        case fork  // ** before more, first half: go on behind `folders`, or enter it
        case folders  // second half: anything up to a slash
        case everything  // ** at the end
        case set([ClosedRange<UInt8>], isNegated: Bool)
    }

    private let tokens: [Token]
    /// The pattern itself when it has no wildcard: then a comparison does.
    private let plain: [UInt8]?

    /// Reads the pattern; nil for an unfinished set or a trailing backslash.
    init?(_ text: String) {
        var tokens: [Token] = []
        var plain: [UInt8]? = []
        var input = text.utf8[...]
        while let byte = input.popFirst() {
            switch byte {
            case UInt8(ascii: "*") where input.first == UInt8(ascii: "*"):
                input.removeFirst()
                if input.first == ASCII.slash { input.removeFirst() }
                tokens += input.isEmpty ? [.everything] : [.fork, .folders]
                plain = nil
            case UInt8(ascii: "*"):
                tokens.append(.run)
                plain = nil
            case UInt8(ascii: "?"):
                tokens.append(.anyButSlash)
                plain = nil
            case UInt8(ascii: "["):
                guard let set = Self.set(&input) else { return nil }
                tokens.append(set)
                plain = nil
            case UInt8(ascii: "\\"):
                guard let next = input.popFirst() else { return nil }
                tokens.append(.literal(next))
                plain?.append(next)
            default:
                tokens.append(.literal(byte))
                plain?.append(byte)
            }
        }
        self.tokens = tokens
        self.plain = plain
    }

    /// Tells whether the pattern matches the path or a folder above it.
    func matchesOrCovers(_ path: [UInt8]) -> Bool {
        if let plain {
            return !plain.isEmpty && path.starts(with: plain)
                && (path.count == plain.count || path[plain.count] == ASCII.slash)
        }
        var states = [Bool](repeating: false, count: tokens.count + 1)
        states[0] = true
        followEmptyMoves(&states)
        for byte in path {
            if byte == ASCII.slash, states[tokens.count] { return true }
            states = step(states, byte)
            guard states.contains(true) else { return false }
        }
        return states[tokens.count]
    }

    private func step(_ states: [Bool], _ byte: UInt8) -> [Bool] {
        var next = [Bool](repeating: false, count: states.count)
        for (index, token) in tokens.enumerated() where states[index] {
            switch token {
            case .literal(let wanted): if byte == wanted { next[index + 1] = true }
            case .anyButSlash: if byte != ASCII.slash { next[index + 1] = true }
            case .run: if byte != ASCII.slash { next[index] = true }
            case .everything: next[index] = true
            case .fork: break
            case .folders:
                next[index] = true
                if byte == ASCII.slash { next[index + 1] = true }
            case .set(let ranges, let isNegated):
                if byte != ASCII.slash, ranges.contains(where: { $0.contains(byte) }) != isNegated {
                    next[index + 1] = true
                }
            }
        }
        followEmptyMoves(&next)
        return next
    }

    /// Adds the states that are reached without a byte; tokens only point forward, so one pass finds them all.
    private func followEmptyMoves(_ states: inout [Bool]) {
        for (index, token) in tokens.enumerated() where states[index] {
            switch token {
            case .run, .everything: states[index + 1] = true
            case .fork:
                states[index + 1] = true
                states[index + 2] = true
            case .literal, .anyButSlash, .folders, .set: break
            }
        }
    }

    private static func set(_ input: inout Substring.UTF8View) -> Token? {
        var isNegated = false
        if let first = input.first, first == UInt8(ascii: "^") || first == UInt8(ascii: "!") {
            isNegated = true
            input.removeFirst()
        }
        var ranges: [ClosedRange<UInt8>] = []
        while let byte = input.popFirst() {
            if byte == UInt8(ascii: "]"), !ranges.isEmpty { return .set(ranges, isNegated: isNegated) }
            var low = byte
            if byte == UInt8(ascii: "\\") {
                guard let next = input.popFirst() else { return nil }
                low = next
            }
            var high = low
            if input.first == ASCII.dash, input.dropFirst().first != UInt8(ascii: "]") {
                input.removeFirst()
                guard var next = input.popFirst() else { return nil }
                if next == UInt8(ascii: "\\") {
                    guard let escaped = input.popFirst() else { return nil }
                    next = escaped
                }
                high = next
            }
            guard low <= high else { return nil }
            ranges.append(low...high)
        }
        return nil
    }
}
