/// Makes label values from names that come from outside.
public enum LabelValue {
    /// The longest label value in bytes, as Kubernetes has it.
    public static let bytesMaximum = 63

    /// Whether a text can be a label value as it is: empty, or at most 63 characters from `[A-Za-z0-9_.-]` that begin
    /// and end with a letter or digit.
    public static func isValid(_ text: String) -> Bool {
        text.utf8.count <= bytesMaximum && text.utf8.allSatisfy(isAllowed)
            && (text.utf8.first.map(isAlphanumeric) ?? true) && (text.utf8.last.map(isAlphanumeric) ?? true)
    }

    /// Returns the closest label value to any text: `feature/log in` becomes `feature-log-in`.
    ///
    /// Different texts can give the same value: it is for selecting and looking, never for identity. The exact text
    /// belongs in an annotation beside it.
    public static func sanitised(_ text: String) -> String {
        var bytes = text.unicodeScalars.map { scalar -> UInt8 in
            guard scalar.isASCII else { return UInt8(ascii: "-") }
            let byte = UInt8(truncatingIfNeeded: scalar.value)
            return isAllowed(byte) ? byte : UInt8(ascii: "-")
        }[...]
        bytes = bytes.drop { !isAlphanumeric($0) }.prefix(bytesMaximum)
        while let last = bytes.last, !isAlphanumeric(last) { bytes = bytes.dropLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        isAlphanumeric(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
    }
}
