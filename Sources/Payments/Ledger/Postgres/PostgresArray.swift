import Cryptography

/// A column of values as one parameter: an array in PostgreSQL's text form.
///
/// One statement with arrays carries any number of rows, so that a transaction takes the same number of round trips however
/// many requests it serves.
struct PostgresArray {
    private var content = "{"

    /// Appends a text, or NULL.
    mutating func append(_ text: String?) {
        if content.utf8.count > 1 { content += "," }
        guard let text else {
            content += "NULL"
            return
        }
        content += "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { content += "\\" }
            content.unicodeScalars.append(scalar)
        }
        content += "\""
    }

    /// Appends bytes, for a `bytea[]`.
    mutating func append(_ bytes: [UInt8]) { append(Self.bytes(bytes)) }

    /// Appends a number.
    mutating func append(_ number: some FixedWidthInteger) {
        if content.utf8.count > 1 { content += "," }
        content += String(number)
    }

    /// Appends a truth.
    mutating func append(_ flag: Bool) {
        if content.utf8.count > 1 { content += "," }
        content += flag ? "t" : "f"
    }

    /// The parameter.
    var text: String { content + "}" }

    /// Bytes as a `bytea`: `\x` and hexadecimal digits.
    static func bytes(_ bytes: [UInt8]) -> String { "\\x" + Hex.encode(bytes) }
}
