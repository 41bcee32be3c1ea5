/// Reads the TXT records out of a server's answer (RFC 1035 §4).
///
/// Nothing in it is trusted: lengths that lead outside, and names that lead in circles, are an error.
struct TextAnswer: Equatable {
    /// What the answer's bytes break.
    struct Malformed: Error, Equatable {}

    /// The texts of the records, each put together of its strings; bytes that are no UTF-8 become U+FFFD.
    let texts: [String]

    /// Records looked at.
    static let recordsMaximum = 256
    /// Names that stand for other names, one after the other.
    private static let aliasesMaximum = 16
    private static let textType = 16
    private static let aliasType = 5
    private static let internet = 1
    private static let headerBytes = 12

    /// Reads an answer.
    ///
    /// - Parameters:
    ///   - bytes: The whole message.
    ///   - name: What was asked for. Records of other names count only where it is an alias of theirs.
    /// - Throws: ``Malformed``.
    init(_ bytes: [UInt8], name: String) throws(Malformed) {
        var reader = Reader(bytes)
        guard bytes.count >= Self.headerBytes else { throw Malformed() }
        reader.position = 4
        let (questions, answers) = (try reader.number(), try reader.number())
        reader.position = Self.headerBytes
        guard questions <= 1, answers <= Self.recordsMaximum else { throw Malformed() }
        for _ in 0..<questions {
            _ = try reader.name()
            try reader.skip(4)
        }
        var found: [(name: String, text: String)] = []
        var aliases: [String: String] = [:]
        for _ in 0..<answers {
            let owner = try reader.name()
            let (type, family) = (try reader.number(), try reader.number())
            try reader.skip(4)  // how long it may be kept
            let length = try reader.number()
            let end = reader.position + length
            guard end <= bytes.count else { throw Malformed() }
            switch (type, family) {
            case (Self.textType, Self.internet): found.append((owner, try reader.text(until: end)))
            case (Self.aliasType, Self.internet): aliases[owner] = try reader.name()
            default: break
            }
            reader.position = end
        }
        var names: Set<String> = []
        var next: String? = Self.plain(name)
        while let name = next, names.count <= Self.aliasesMaximum, names.insert(name).inserted { next = aliases[name] }
        texts = found.filter { names.contains($0.name) }.map(\.text)
    }

    /// In lower case and without a dot at the end.
    private static func plain(_ name: String) -> String {
        let name = name.lowercased()
        return name.hasSuffix(".") ? String(name.dropLast()) : name
    }

    /// Goes through a message.
    private struct Reader {
        private let bytes: [UInt8]
        var position = 0

        /// A name has at most 255 bytes (RFC 1035 §2.3.4), so at most so many labels and jumps.
        private static let nameStepsMaximum = 255

        init(_ bytes: [UInt8]) { self.bytes = bytes }

        private mutating func byte() throws(Malformed) -> Int {
            guard bytes.indices.contains(position) else { throw Malformed() }
            defer { position += 1 }
            return Int(bytes[position])
        }

        mutating func number() throws(Malformed) -> Int { try byte() << 8 | byte() }

        mutating func skip(_ count: Int) throws(Malformed) {
            guard count <= bytes.count - position else { throw Malformed() }
            position += count
        }

        /// A name, in lower case, without the dot at its end.
        mutating func name() throws(Malformed) -> String {
            var labels: [String] = []
            var resume: Int?
            for _ in 0..<Self.nameStepsMaximum {
                let length = try byte()
                switch length {
                case 0:
                    if let resume { position = resume }
                    return labels.joined(separator: ".")
                case 0xC0...0xFF:  // the rest stands elsewhere (RFC 1035 §4.1.4)
                    let target = (length & 0x3F) << 8 | (try byte())
                    resume = resume ?? position
                    position = target
                case 1...63:
                    let start = position
                    try skip(length)
                    labels.append(String(decoding: bytes[start..<position], as: UTF8.self).lowercased())
                default: throw Malformed()
                }
            }
            throw Malformed()
        }

        /// Strings of up to 255 bytes, up to the record's end, put together.
        mutating func text(until end: Int) throws(Malformed) -> String {
            var content: [UInt8] = []
            while position < end {
                let length = try byte()
                guard length <= end - position else { throw Malformed() }
                content += bytes[position..<position + length]
                position += length
            }
            return String(decoding: content, as: UTF8.self)
        }
    }
}
