/// Text cut to what a host takes.
enum BoundedText {
    /// The beginning of a text on one line, with an ellipsis where something was cut off.
    ///
    /// - Parameters:
    ///   - text: Line ends and other control characters become spaces.
    ///   - maximum: How many Unicode scalars come out at most; hosts count no fewer.
    static func line(_ text: String, maximum: Int) -> String {
        var scalars = String.UnicodeScalarView()
        var count = 0
        for scalar in text.unicodeScalars {
            guard count < maximum else {
                scalars.removeLast()
                scalars.append("…")
                break
            }
            scalars.append(scalar.value < 0x20 || scalar.value == 0x7F ? " " : scalar)
            count += 1
        }
        return String(scalars)
    }
}
