extension Timestamp {
    /// How many digits of the second an RFC 3339 text has.
    public enum Precision: Sendable {
        /// None: `2026-07-28T12:00:00Z`, as Kubernetes writes `metav1.Time`.
        case seconds
        /// Six: `2026-07-28T12:00:00.000000Z`, as Kubernetes writes `metav1.MicroTime`.
        case microseconds
        /// Nine.
        case nanoseconds
    }

    /// Writes the time in UTC as RFC 3339 has it; digits beyond the precision are cut off.
    ///
    /// - Parameter precision: How many digits of the second; none by default.
    /// - Returns: A text of 20, 27 or 30 bytes.
    public func rfc3339(_ precision: Precision = .seconds) -> String {
        let (day, secondOfDay) = secondsSinceEpoch.flooredDivision(by: 86_400)
        let date = CivilDate(daysSinceEpoch: day)
        var text = digits(date.year, 4) + "-" + digits(date.month, 2) + "-" + digits(date.day, 2) + "T"
        text +=
            digits(secondOfDay / 3600, 2) + ":" + digits(secondOfDay / 60 % 60, 2) + ":" + digits(secondOfDay % 60, 2)
        switch precision {
        case .seconds: break
        case .microseconds: text += "." + digits(Int64(nanoseconds / 1000), 6)
        case .nanoseconds: text += "." + digits(Int64(nanoseconds), 9)
        }
        return text + "Z"
    }

    /// Reads a time as RFC 3339 §5.6 has it, with any offset and up to 32 digits of the second.
    ///
    /// Digits beyond nanoseconds are cut off. A second of 60 is refused, as Go and Kubernetes do.
    ///
    /// - Parameter text: The text, for example `2026-07-28T14:00:00.25+02:00`.
    /// - Returns: Nil when the text is something else or the date does not exist.
    public init?(rfc3339 text: String) {
        var fields = DigitFields(text)
        guard let year = fields.number(digits: 4), fields.skip("-"),
            let month = fields.number(digits: 2), fields.skip("-"),
            let day = fields.number(digits: 2), fields.skip("T") || fields.skip("t"),
            let hour = fields.number(digits: 2), fields.skip(":"),
            let minute = fields.number(digits: 2), fields.skip(":"),
            let second = fields.number(digits: 2),
            let date = CivilDate(year: year, month: month, day: day), hour < 24, minute < 60, second < 60,
            let nanoseconds = fields.fraction(), let offset = fields.offset(), fields.isAtEnd
        else { return nil }
        let seconds = date.daysSinceEpoch * 86_400 + hour * 3600 + minute * 60 + second - offset
        self.init(secondsSinceEpoch: seconds, nanoseconds: nanoseconds)
    }

    /// A number with leading zeros.
    private func digits(_ number: Int64, _ count: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, count - text.count)) + text
    }
}

extension Timestamp: CustomStringConvertible, Codable {
    /// RFC 3339 with seconds.
    public var description: String { rfc3339() }

    /// Reads an RFC 3339 string.
    ///
    /// - Parameter decoder: Where the string is.
    /// - Throws: `DecodingError.dataCorrupted` when it is no such string, or what the decoder throws.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let timestamp = Timestamp(rfc3339: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "expected a time as RFC 3339 has it, like 2026-07-28T12:00:00Z")
        }
        self = timestamp
    }

    /// Writes an RFC 3339 string with seconds, as `metav1.Time` is.
    ///
    /// - Parameter encoder: Where to write.
    /// - Throws: What the encoder throws.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rfc3339())
    }
}

/// Takes fields of fixed width off the front of a text.
private struct DigitFields {
    private var rest: Substring.UTF8View

    init(_ text: String) {
        rest = text.utf8[...]
    }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func number(digits count: Int) -> Int64? {
        let field = rest.prefix(count)
        guard field.count == count else { return nil }
        var number: Int64 = 0
        for byte in field {
            guard let digit = Self.digit(byte) else { return nil }
            number = number * 10 + Int64(digit)
        }
        rest = rest.dropFirst(count)
        return number
    }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard let first = rest.first, UInt32(first) == character.value else { return false }
        rest = rest.dropFirst()
        return true
    }

    /// Reads `.25` as nanoseconds; nothing counts as zero.
    mutating func fraction() -> Int32? {
        guard skip(".") else { return 0 }
        let digits = rest.prefix { Self.digit($0) != nil }
        guard (1...32).contains(digits.count) else { return nil }
        rest = rest.dropFirst(digits.count)
        var nanoseconds: Int32 = 0
        var place: Int32 = 100_000_000
        for byte in digits.prefix(9) {
            nanoseconds += Int32(byte - UInt8(ascii: "0")) * place
            place /= 10
        }
        return nanoseconds
    }

    /// Reads `Z` or `+02:00` as seconds east of UTC.
    mutating func offset() -> Int64? {
        if skip("Z") || skip("z") { return 0 }
        let isWest = skip("-")
        guard isWest || skip("+"), let hours = number(digits: 2), skip(":"), let minutes = number(digits: 2),
            hours < 24, minutes < 60
        else { return nil }
        let seconds = hours * 3600 + minutes * 60
        return isWest ? -seconds : seconds
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        let digit = byte &- UInt8(ascii: "0")
        return digit < 10 ? digit : nil
    }
}
