/// A YAML text while it grows.
struct YAMLOutput {
    private(set) var text = ""

    mutating func appendDocument(_ node: YAMLNode) {
        switch node.content {
        case .mapping(let mapping) where !mapping.entries.isEmpty: append(mapping, indent: 0, isAtLineStart: true)
        case .sequence(let elements) where !elements.isEmpty: append(elements, indent: 0, isAtLineStart: true)
        default: appendInline(node, indent: 0)
        }
    }

    /// Writes the entries of a mapping, each on its own line.
    ///
    /// - Parameter isAtLineStart: False after a list's `- `, on whose line the first entry goes.
    private mutating func append(_ mapping: YAMLMapping, indent: Int, isAtLineStart: Bool) {
        var isAtLineStart = isAtLineStart
        for entry in mapping.entries {
            if isAtLineStart { text += String(repeating: " ", count: indent) }
            isAtLineStart = true
            text += Self.singleLine(entry.key) + ":"
            switch entry.value.content {
            case .mapping(let child) where !child.entries.isEmpty:
                text += "\n"
                append(child, indent: indent + 2, isAtLineStart: true)
            case .sequence(let elements) where !elements.isEmpty:
                text += "\n"
                append(elements, indent: indent, isAtLineStart: true)
            default:
                text += " "
                appendInline(entry.value, indent: indent + 2)
            }
        }
    }

    private mutating func append(_ elements: [YAMLNode], indent: Int, isAtLineStart: Bool) {
        var isAtLineStart = isAtLineStart
        for element in elements {
            if isAtLineStart { text += String(repeating: " ", count: indent) }
            isAtLineStart = true
            text += "- "
            switch element.content {
            case .mapping(let child) where !child.entries.isEmpty:
                append(child, indent: indent + 2, isAtLineStart: false)
            case .sequence(let children) where !children.isEmpty:
                append(children, indent: indent + 2, isAtLineStart: false)
            default:
                appendInline(element, indent: indent + 2)
            }
        }
    }

    /// Writes what fits on the current line, or begins there as a literal block does.
    private mutating func appendInline(_ node: YAMLNode, indent: Int) {
        switch node.content {
        case .mapping: text += "{}\n"
        case .sequence: text += "[]\n"
        case .scalar(let scalar):
            guard case .string(let string) = scalar.value else {
                text += (scalar.text.isEmpty ? "null" : scalar.text) + "\n"
                return
            }
            if Self.isLiteralBlock(string) {
                appendLiteral(string, indent: max(indent, 2))
            } else {
                text += Self.singleLine(string) + "\n"
            }
        }
    }

    /// Writes a literal block (YAML 1.2.2 §8.1.2); its header says how many line feeds the end has.
    private mutating func appendLiteral(_ string: String, indent: Int) {
        let endsInLineFeed = string.utf8.last == UInt8(ascii: "\n")
        let endsInTwo = endsInLineFeed && string.utf8.dropLast().last == UInt8(ascii: "\n")
        text += endsInTwo ? "|+\n" : endsInLineFeed ? "|\n" : "|-\n"
        let body = endsInLineFeed ? string.utf8.dropLast() : string.utf8[...]
        for line in body.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            if !line.isEmpty { text += String(repeating: " ", count: indent) + String(Substring(line)) }
            text += "\n"
        }
    }

    /// Whether a text reads better as lines, and comes back from them as it was.
    private static func isLiteralBlock(_ string: String) -> Bool {
        guard let first = string.utf8.first, first != UInt8(ascii: "\n"), first != UInt8(ascii: " "),
            string.utf8.contains(UInt8(ascii: "\n"))
        else { return false }
        return string.unicodeScalars.allSatisfy { $0 == "\n" || $0 == "\t" || isPrintable($0) } && first != 0x09
    }

    /// A string on one line: as it stands where that is safe, else in double quotes.
    static func singleLine(_ string: String) -> String {
        isPlain(string) ? string : quoted(string)
    }

    /// Whether each reader takes the unquoted text for this string and nothing else.
    private static func isPlain(_ string: String) -> Bool {
        guard let first = string.unicodeScalars.first, let last = string.unicodeScalars.last else { return false }
        guard case .string = YAMLScalar(plain: string).value, !looksTyped(string) else { return false }
        guard string.unicodeScalars.allSatisfy(isPrintable), first != " ", last != " ", last != ":" else {
            return false
        }
        if "?:,[]{}#&*!|>'\"%@`=<~".unicodeScalars.contains(first) { return false }
        if string == "-" || string.hasPrefix("- ") || string.hasPrefix("---") || string.hasPrefix("...") {
            return false
        }
        var previous: Unicode.Scalar = " "
        for scalar in string.unicodeScalars {
            if previous == ":" && scalar == " " { return false }
            if previous == " " && scalar == "#" { return false }
            previous = scalar
        }
        return true
    }

    /// Whether YAML 1.1, which Kubernetes tools still read, could see a Boolean, a number or a date.
    private static func looksTyped(_ string: String) -> Bool {
        let words: Set<String> = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"]
        if words.contains(string.lowercased()) { return true }
        guard let first = string.utf8.first, "0123456789+-.".utf8.contains(first) else { return false }
        guard string.utf8.contains(where: { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return false
        }
        return string.utf8.allSatisfy { "0123456789abcdefABCDEFxXoObBtTzZ_+-.: ".utf8.contains($0) }
    }

    /// Whether a character may stand as it is; line separators and the byte order mark may not.
    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x20...0x7E, 0xA0...0x2027, 0x202A...0xD7FF, 0xE000...0xFEFE, 0xFF00...0xFFFD, 0x10000...0x10FFFF: true
        default: false
        }
    }

    private static func quoted(_ string: String) -> String {
        var text = "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\t": text += "\\t"
            case "\r": text += "\\r"
            case _ where isPrintable(scalar): text.unicodeScalars.append(scalar)
            default:
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
            }
        }
        return text + "\""
    }
}
