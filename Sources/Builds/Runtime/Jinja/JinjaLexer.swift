/// Cuts a template into text and tags, and tags into words.
struct JinjaLexer {
    private let bytes: [UInt8]
    private var position = 0
    private var line = 1
    private var found: [JinjaPiece] = []
    /// Whether a tag ended in `-`, so that the white space after it goes.
    private var stripsNext = false

    /// A tag may not have more words, which also bounds how deep its expression nests.
    private static let wordsMaximum = 300
    private static let signs = ["==", "!=", "<=", ">=", "(", ")", "[", "]", ",", ".", "|", "~", "<", ">"]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Cuts the whole template.
    mutating func pieces() throws(JinjaError) -> [JinjaPiece] {
        while position < bytes.count {
            let start = nextTag(from: position)
            let tag = start < bytes.count ? bytes[start + 1] : 0
            let isStripping = start < bytes.count && start + 2 < bytes.count && bytes[start + 2] == ASCII.dash
            addText(upTo: start, isStripped: isStripping)
            guard start < bytes.count else { break }
            position = start + 2
            if isStripping || peek == UInt8(ascii: "+") { position += 1 }
            switch tag {
            case UInt8(ascii: "#"): try skipComment()
            case UInt8(ascii: "{"):
                let begun = line
                found.append(.output(try words(until: "}}", begun: begun), line: begun))
            default:
                let begun = line
                let words = try words(until: "%}", begun: begun)
                if words.count == 1, words[0].kind == .name("raw") {
                    try takeRaw(begun: begun)
                } else {
                    found.append(.statement(words, line: begun))
                }
            }
        }
        return found
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    /// Where the next `{{`, `{%` or `{#` begins; the end when there is none.
    private func nextTag(from start: Int) -> Int {
        var index = start
        while index + 1 < bytes.count {
            if bytes[index] == UInt8(ascii: "{"), "{%#".utf8.contains(bytes[index + 1]) { return index }
            index += 1
        }
        return bytes.count
    }

    private mutating func addText(upTo end: Int, isStripped: Bool) {
        var text = bytes[position..<end]
        countLines(text)
        if stripsNext { text = text.drop(while: Self.isSpace) }
        if isStripped { while let last = text.last, Self.isSpace(last) { text.removeLast() } }
        stripsNext = false
        if !text.isEmpty { found.append(.text(Array(text))) }
        position = end
    }

    private mutating func countLines(_ text: some Sequence<UInt8>) {
        for byte in text where byte == ASCII.newline { line += 1 }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    private func starts(with text: String, at index: Int) -> Bool { bytes[index...].starts(with: text.utf8) }

    private mutating func skipComment() throws(JinjaError) {
        var index = position
        while index + 1 < bytes.count, !starts(with: "#}", at: index) { index += 1 }
        guard index + 1 < bytes.count else { throw JinjaError(line: line, message: "a comment has no end '#}'") }
        countLines(bytes[position..<index])
        stripsNext = index > position && bytes[index - 1] == ASCII.dash
        position = index + 2
    }

    /// Takes everything up to `{% endraw %}` as text.
    private mutating func takeRaw(begun: Int) throws(JinjaError) {
        var index = position
        while index < bytes.count {
            index = nextTag(from: index)
            guard index < bytes.count else { break }
            if let end = endOfRaw(at: index) {
                let isStripped = index + 2 < bytes.count && bytes[index + 2] == ASCII.dash
                addText(upTo: index, isStripped: isStripped)
                countLines(bytes[index..<end.next])
                position = end.next
                stripsNext = end.strips
                return
            }
            index += 1
        }
        throw JinjaError(line: begun, message: "'raw' has no end '{% endraw %}'")
    }

    private func endOfRaw(at start: Int) -> (next: Int, strips: Bool)? {
        guard starts(with: "{%", at: start) else { return nil }
        var index = start + 2
        func skipSpaces() { while index < bytes.count, Self.isSpace(bytes[index]) { index += 1 } }
        if index < bytes.count, "-+".utf8.contains(bytes[index]) { index += 1 }
        skipSpaces()
        guard index < bytes.count, starts(with: "endraw", at: index) else { return nil }
        index += 6
        skipSpaces()
        let strips = index < bytes.count && bytes[index] == ASCII.dash
        if strips { index += 1 }
        guard index < bytes.count, starts(with: "%}", at: index) else { return nil }
        return (index + 2, strips)
    }

    // MARK: - Inside a tag

    private mutating func words(until end: String, begun: Int) throws(JinjaError) -> [JinjaToken] {
        var words: [JinjaToken] = []
        while let byte = peek {
            if starts(with: end, at: position) || starts(with: "-" + end, at: position) {
                stripsNext = byte == ASCII.dash
                position += end.utf8.count + (stripsNext ? 1 : 0)
                return words
            }
            if Self.isSpace(byte) {
                if byte == ASCII.newline { line += 1 }
                position += 1
            } else {
                words.append(try word(byte))
                guard words.count <= Self.wordsMaximum else {
                    throw JinjaError(line: begun, message: "a tag has more than \(Self.wordsMaximum) words")
                }
            }
        }
        throw JinjaError(line: begun, message: "a tag has no end '\(end)'")
    }

    private mutating func word(_ first: UInt8) throws(JinjaError) -> JinjaToken {
        if ASCII.isDigit(first) { return try number() }
        if Self.isNameByte(first) {
            let name = take(while: Self.isNameByte)
            return JinjaToken(kind: .name(String(decoding: name, as: UTF8.self)), line: line)
        }
        if first == UInt8(ascii: "\"") || first == UInt8(ascii: "'") { return try quoted(first) }
        for sign in Self.signs where starts(with: sign, at: position) {
            position += sign.utf8.count
            return JinjaToken(kind: .sign(sign), line: line)
        }
        let shown = (0x21...0x7E).contains(first) ? "'\(Character(Unicode.Scalar(first)))'" : "a character"
        throw JinjaError(line: line, message: "\(shown) is not known here")
    }

    private static func isNameByte(_ byte: UInt8) -> Bool { ASCII.isAlphanumeric(byte) || byte == ASCII.underscore }

    private mutating func take(while isWanted: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        let start = position
        while let byte = peek, isWanted(byte) { position += 1 }
        return bytes[start..<position]
    }

    private mutating func number() throws(JinjaError) -> JinjaToken {
        let digits = take(while: Self.isNameByte).filter { $0 != ASCII.underscore }
        guard let value = Int(String(decoding: digits, as: UTF8.self)) else {
            throw JinjaError(line: line, message: "this is no whole number that can be used")
        }
        return JinjaToken(kind: .integer(value), line: line)
    }

    private mutating func quoted(_ quote: UInt8) throws(JinjaError) -> JinjaToken {
        let begun = line
        var text: [UInt8] = []
        position += 1
        while let byte = peek {
            position += 1
            switch byte {
            case quote: return JinjaToken(kind: .text(String(decoding: text, as: UTF8.self)), line: begun)
            case UInt8(ascii: "\\"): text += try escaped(begun: begun)
            default:
                if byte == ASCII.newline { line += 1 }
                text.append(byte)
            }
        }
        throw JinjaError(line: begun, message: "a text has no end")
    }

    /// What follows a backslash: Python's escapes, and the backslash itself where there is none.
    private mutating func escaped(begun: Int) throws(JinjaError) -> [UInt8] {
        guard let byte = peek else { throw JinjaError(line: begun, message: "a text has no end") }
        position += 1
        switch byte {
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""): return [byte]
        case UInt8(ascii: "x"), UInt8(ascii: "u"):
            let count = byte == UInt8(ascii: "x") ? 2 : 4
            let digits = bytes[position...].prefix(count)
            guard digits.count == count, digits.allSatisfy(ASCII.isHex),
                let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16),
                let scalar = Unicode.Scalar(value)
            else { throw JinjaError(line: begun, message: "a text has an escape that is none") }
            position += count
            return Array(String(Character(scalar)).utf8)
        case ASCII.newline:
            line += 1
            return []
        default: return [UInt8(ascii: "\\"), byte]
        }
    }
}
