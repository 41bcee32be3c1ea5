import Timing

/// One page of a bucket's listing, as `ListObjectsV2` answers it.
///
/// A small reader of the XML that S3 and what is like it send: elements, text, the five named entities and numbered ones.
/// Attributes, comments and the declaration are passed over; a document type is refused, so that no entity can be made up.
///
/// Source: Amazon S3 API reference, ListObjectsV2.
struct S3Listing: Sendable, Equatable {
    struct Entry: Sendable, Equatable {
        var key = ""
        var sizeBytes = 0
        var modifiedAt = Timestamp.earliest
    }

    private(set) var entries: [Entry] = []
    private(set) var isTruncated = false
    private(set) var continuationToken: String?

    /// A page has at most 1000 entries.
    static let bytesMaximum = 4 << 20
    private static let depthMaximum = 16

    /// Reads a page.
    ///
    /// - Throws: ``LogStoreError`` for anything that is no such page.
    init(xml bytes: [UInt8]) throws(LogStoreError) {
        var reader = S3XMLReader(bytes)
        var path: [String] = []
        var text = ""
        var entry = Entry()
        var isListing = false
        while let token = try reader.next() {
            switch token {
            case .open(let name):
                guard path.count < Self.depthMaximum else { throw S3XMLReader.malformed("it is nested too deeply") }
                path.append(name)
                text = ""
                if path == ["ListBucketResult"] { isListing = true }
                if path == ["ListBucketResult", "Contents"] { entry = Entry() }
            case .text(let piece): text += piece
            case .close(let name):
                guard path.last == name else { throw S3XMLReader.malformed("</\(name.prefix(40))> closes nothing") }
                switch path {
                case ["ListBucketResult", "Contents"]: entries.append(entry)
                case ["ListBucketResult", "Contents", "Key"]: entry.key = text
                case ["ListBucketResult", "Contents", "Size"]: entry.sizeBytes = max(Int(text) ?? 0, 0)
                case ["ListBucketResult", "Contents", "LastModified"]:
                    entry.modifiedAt = Timestamp(rfc3339: text) ?? .earliest
                case ["ListBucketResult", "IsTruncated"]: isTruncated = text == "true"
                case ["ListBucketResult", "NextContinuationToken"]: continuationToken = text
                default: break
                }
                path.removeLast()
                text = ""
            }
        }
        guard path.isEmpty, isListing else { throw S3XMLReader.malformed("it ends too early") }
    }

    /// The code of an error's document, such as `AccessDenied`; nil when there is none.
    static func errorCode(xml bytes: [UInt8]) -> String? {
        var reader = S3XMLReader(bytes)
        var isCode = false
        while let token = try? reader.next() {
            switch token {
            case .open(let name): isCode = name == "Code"
            case .text(let text) where isCode:
                let isWord = text.utf8.allSatisfy { ASCII.isAlphanumeric($0) || $0 == ASCII.dot }
                return isWord ? String(text.prefix(64)) : nil
            case .text, .close: break
            }
        }
        return nil
    }
}

/// Cuts a small XML document into tags and text; see ``S3Listing``.
struct S3XMLReader: Sendable {
    enum Token: Equatable {
        case open(String)
        case close(String)
        case text(String)
    }

    private let bytes: [UInt8]
    private var position = 0
    /// The closing half of `<Name/>`.
    private var pending: String?

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    static func malformed(_ why: String) -> LogStoreError {
        LogStoreError("the object store's answer cannot be read: \(why)")
    }

    /// The next token; nil at the end.
    mutating func next() throws(LogStoreError) -> Token? {
        if let name = pending {
            pending = nil
            return .close(name)
        }
        while position < bytes.count {
            guard bytes[position] == UInt8(ascii: "<") else { return .text(try text()) }
            if starts(with: "<?") {
                try skip(past: "?>")
            } else if starts(with: "<!--") {
                try skip(past: "-->")
            } else if starts(with: "<!") {
                throw Self.malformed("it has a document type or raw data")
            } else {
                return try tag()
            }
        }
        return nil
    }

    private mutating func text() throws(LogStoreError) -> String {
        let end = bytes[position...].firstIndex(of: UInt8(ascii: "<")) ?? bytes.count
        defer { position = end }
        let raw = bytes[position..<end]
        guard raw.contains(UInt8(ascii: "&")) else { return String(decoding: raw, as: UTF8.self) }
        var result = String.UnicodeScalarView()
        var rest = String(decoding: raw, as: UTF8.self).unicodeScalars[...]
        while let scalar = rest.popFirst() {
            guard scalar == "&" else {
                result.append(scalar)
                continue
            }
            guard let semicolon = rest.prefix(12).firstIndex(of: ";"),
                let value = Self.entity(String(rest[..<semicolon]))
            else { throw Self.malformed("an entity is not known") }
            result.append(value)
            rest = rest[rest.index(after: semicolon)...]
        }
        return String(result)
    }

    private static func entity(_ name: String) -> Unicode.Scalar? {
        switch name {
        case "amp": return "&"
        case "lt": return "<"
        case "gt": return ">"
        case "quot": return "\""
        case "apos": return "'"
        default: break
        }
        if name.hasPrefix("#x") { return UInt32(name.dropFirst(2), radix: 16).flatMap(Unicode.Scalar.init) }
        if name.hasPrefix("#") { return UInt32(name.dropFirst()).flatMap(Unicode.Scalar.init) }
        return nil
    }

    private mutating func tag() throws(LogStoreError) -> Token {
        let start = position + 1
        guard let end = bytes[start...].firstIndex(of: UInt8(ascii: ">")) else {
            throw Self.malformed("a tag has no end")
        }
        position = end + 1
        var inner = bytes[start..<end]
        let isClosing = inner.first == ASCII.slash
        if isClosing { inner = inner.dropFirst() }
        let isEmpty = !isClosing && inner.last == ASCII.slash
        if isEmpty { inner = inner.dropLast() }
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0D).contains($0) }
        let whole = inner.prefix { !isSpace($0) }
        // Prefixes of name spaces say nothing here.
        let name = String(decoding: whole.split(separator: ASCII.colon).last ?? [], as: UTF8.self)
        guard !name.isEmpty else { throw Self.malformed("a tag has no name") }
        if isClosing { return .close(name) }
        if isEmpty { pending = name }
        return .open(name)
    }

    private func starts(with text: String) -> Bool { bytes[position...].starts(with: text.utf8) }

    private mutating func skip(past end: String) throws(LogStoreError) {
        let wanted = Array(end.utf8)
        while position < bytes.count {
            if bytes[position...].starts(with: wanted) {
                position += wanted.count
                return
            }
            position += 1
        }
        throw Self.malformed("it ends too early")
    }
}
