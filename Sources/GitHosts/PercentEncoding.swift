/// Text inside URLs (RFC 3986 §2).
enum PercentEncoding {
    /// A text as one segment of a path: nothing of it can end the segment.
    static func segment(_ text: String) -> String { encoded(text, space: "%20") }

    /// A text as a value of a query, with `+` for spaces as forms have it.
    static func query(_ text: String) -> String { encoded(text, space: "+") }

    private static func encoded(_ text: String, space: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var result: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.append(byte)
            case UInt8(ascii: " "): result += space.utf8
            default: result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
