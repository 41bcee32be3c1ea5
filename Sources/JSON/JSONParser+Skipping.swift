extension JSONParser {
    /// Steps over a value whose form is checked and of which nothing is kept.
    ///
    /// What keys an object has and whether its texts are UTF-8 is not looked at.
    mutating func skip(_ bytes: Span<UInt8>) throws(JSONError) {
        guard position < bytes.count else {
            throw malformed("expected a value, found the end of the text", bytes)
        }
        switch bytes[position] {
        case UInt8(ascii: "\""): try skipString(bytes)
        case UInt8(ascii: "{"): try skipObject(bytes)
        case UInt8(ascii: "["): try skipArray(bytes)
        default: _ = try value(bytes)
        }
    }

    private mutating func skipObject(_ bytes: Span<UInt8>) throws(JSONError) {
        try enter(bytes)
        defer { depth -= 1 }
        skipWhitespace(bytes)
        if take(UInt8(ascii: "}"), bytes) { return }
        while true {
            skipWhitespace(bytes)
            try expectKey(bytes)
            try skipString(bytes)
            try stepOverColon(bytes)
            try skip(bytes)
            if try isObjectOver(bytes) { return }
        }
    }

    /// Steps over an array.
    ///
    /// - Parameter find: Is told where each element is.
    mutating func skipArray(_ bytes: Span<UInt8>, _ find: ((Range<Int>) -> Void)? = nil) throws(JSONError) {
        try enter(bytes)
        defer { depth -= 1 }
        skipWhitespace(bytes)
        if take(UInt8(ascii: "]"), bytes) { return }
        while true {
            skipWhitespace(bytes)
            let start = position
            try skip(bytes)
            find?(start..<position)
            if try isArrayOver(bytes) { return }
        }
    }

    private mutating func skipString(_ bytes: Span<UInt8>) throws(JSONError) {
        let opening = position
        var isASCII = true
        position += 1
        while true {
            position = plainEnd(bytes, from: position, &isASCII)
            guard position < bytes.count else { throw malformed("the string has no end", bytes, at: opening) }
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return
            case UInt8(ascii: "\\"):
                // Digits after a `u` stand for themselves.
                position = min(position + 2, bytes.count)
            default:
                throw malformed("a control character in a string must be escaped", bytes)
            }
        }
    }
}
