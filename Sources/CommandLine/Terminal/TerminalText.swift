/// Text from a cluster as a terminal may be given it.
///
/// A name, a message or a log line is somebody else's: bytes that move the cursor, set the title or answer for the person
/// at the keyboard must not reach the terminal.
enum TerminalText {
    /// Text in one line without control characters.
    static func line(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        var shown = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { shown.append(isControl(scalar) ? " " : scalar) }
        return String(shown)
    }

    /// Bytes of a log or an answer for a terminal: lines, tabs and colours stay, other control characters are shown as `?`.
    static func shown(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.contains(where: { isControl($0) || $0 == 0xC2 }) else { return bytes }
        var shown: [UInt8] = []
        shown.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte == 0x1B, let end = endOfColor(bytes, index) {
                shown += bytes[index..<end]
                index = end
                continue
            }
            if byte == 0xC2, index + 1 < bytes.count, (0x80...0x9F).contains(bytes[index + 1]) {
                // U+0080 to U+009F: among them a control sequence introducer of one character.
                shown.append(UInt8(ascii: "?"))
                index += 2
                continue
            }
            shown.append(isControl(byte) ? UInt8(ascii: "?") : byte)
            index += 1
        }
        return shown
    }

    /// Where a sequence that sets colours ends: `ESC [ digits ; … m`.
    private static func endOfColor(_ bytes: [UInt8], _ start: Int) -> Int? {
        guard start + 2 < bytes.count, bytes[start + 1] == UInt8(ascii: "[") else { return nil }
        var index = start + 2
        while index < bytes.count, index - start < colorBytesMaximum {
            let byte = bytes[index]
            if byte == UInt8(ascii: "m") { return index + 1 }
            guard (0x30...0x39).contains(byte) || byte == UInt8(ascii: ";") else { return nil }
            index += 1
        }
        return nil
    }

    /// `ESC[38;2;255;255;255;48;2;255;255;255m` and a little more.
    private static let colorBytesMaximum = 48

    private static func isControl(_ byte: UInt8) -> Bool {
        byte < 0x20 && ![0x09, 0x0A, 0x0D].contains(byte) || byte == 0x7F
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
            // Marks that turn the direction of the text around, and line separators.
            || (0x202A...0x202E).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value)
            || scalar.value == 0x2028 || scalar.value == 0x2029
    }
}
