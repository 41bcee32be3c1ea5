/// The header fields of a head, checked line by line.
struct FieldSection {
    /// The fields, in order.
    private(set) var records: ContiguousArray<FieldRecord> = []

    /// Reads the lines from `start` up to the empty line that ends at `end`.
    ///
    /// - Precondition: Every line in there ends with CR LF, as `HeadScanner` has seen to.
    /// - Throws: For a name that is no token or not directly followed by a colon, for control characters in a value
    ///   (NUL and bare CR among them), for a folded line, and above `limits.fieldsMaximum`.
    mutating func parse(
        _ bytes: Span<UInt8>, from start: Int, to end: Int, limits: HeadLimits
    ) throws(MessageError) {
        records.removeAll(keepingCapacity: true)
        var position = start
        while position < end - 2 {
            guard records.count < limits.fieldsMaximum else { throw .tooManyFields }
            position = try parseLine(bytes, from: position, to: end)
        }
    }

    /// Reads one line and returns where the next one starts.
    private mutating func parseLine(
        _ bytes: Span<UInt8>, from start: Int, to end: Int
    ) throws(MessageError) -> Int {
        if bytes[start] == 0x20 || bytes[start] == 0x09 {
            throw .foldedField
        }
        var position = start
        while position < end, HTTPCharacters.isToken(bytes[position]) {
            position += 1
        }
        guard position > start, position < end, bytes[position] == 0x3A else { throw .badFieldName }
        let name = ByteRange(start, position)
        position += 1
        while position < end, bytes[position] == 0x20 || bytes[position] == 0x09 {
            position += 1
        }
        let valueStart = position
        while position < end, HTTPCharacters.isFieldContent(bytes[position]) {
            position += 1
        }
        guard position + 1 < end, bytes[position] == 0x0D, bytes[position + 1] == 0x0A else { throw .badFieldValue }
        var valueEnd = position
        while valueEnd > valueStart, bytes[valueEnd - 1] == 0x20 || bytes[valueEnd - 1] == 0x09 {
            valueEnd -= 1
        }
        records.append(
            FieldRecord(
                name: name, value: ByteRange(valueStart, valueEnd), kind: FieldKind.classify(name, in: bytes)))
        return position + 2
    }
}

extension Span where Element == UInt8 {
    /// Reads `range` as a decimal number of digits only, at most 18 of them (RFC 9110 §8.6 sets no limit; no body comes near).
    func plainNumber(_ range: ByteRange) -> UInt64? {
        guard range.count >= 1, range.count <= 18 else { return nil }
        var number: UInt64 = 0
        for position in range.start..<range.end {
            let byte = self[position]
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            number = number * 10 + UInt64(byte - 0x30)
        }
        return number
    }

    /// Returns the members of the comma-separated list in `range`, without blanks; empty members are left out.
    func forEachListMember(_ range: ByteRange, _ body: (ByteRange) -> Void) {
        var start = range.start
        while start < range.end {
            var end = start
            while end < range.end, self[end] != 0x2C {
                end += 1
            }
            var first = start
            var last = end
            while first < last, self[first] == 0x20 || self[first] == 0x09 {
                first += 1
            }
            while last > first, self[last - 1] == 0x20 || self[last - 1] == 0x09 {
                last -= 1
            }
            if first < last {
                body(ByteRange(first, last))
            }
            start = end + 1
        }
    }
}
