/// Status and header fields of a response.
struct ReceivedHead: Sendable {
    var status: HTTPStatus
    var headers: HTTPHeaders
}

/// Collects the header lines that libcurl hands over one by one.
///
/// libcurl has parsed them already; this keeps the last header section, skips interim ones (RFC 9110 §15.2) and
/// trailers, and limits what is kept.
struct ResponseHeadCollector {
    /// Larger header sections end the exchange.
    ///
    /// Servers allow 8 to 64 KiB; nothing sensible is longer.
    static let bytesMaximum = 64 << 10

    /// What a line led to.
    enum Progress {
        /// More lines are to come, or the line did not matter.
        case incomplete
        /// This is the head of the final response.
        case complete(ReceivedHead)
        /// The section is too large.
        case tooLarge
    }

    private let followsRedirects: Bool
    private var status = 0
    private var expectsStatusLine = true
    private var headers = HTTPHeaders()
    private var bytes = 0
    private var isComplete = false

    init(followsRedirects: Bool) {
        self.followsRedirects = followsRedirects
    }

    /// Takes one line with its line end; an empty one ends the section.
    mutating func take(_ line: some Collection<UInt8>) -> Progress {
        guard !isComplete else { return .incomplete }  // A trailer.
        let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A }
        let content = Array(line.drop(while: isBlank).reversed().drop(while: isBlank).reversed())
        if expectsStatusLine {
            status = Self.statusCode(content)
            headers = HTTPHeaders()
            bytes = 0
            expectsStatusLine = false
            return .incomplete
        }
        if content.isEmpty { return finish() }
        bytes += content.count
        guard bytes <= Self.bytesMaximum else { return .tooLarge }
        guard let colon = content.firstIndex(of: UInt8(ascii: ":")) else { return .incomplete }
        headers.add(
            String(decoding: content[..<colon], as: UTF8.self), String(decoding: content[(colon + 1)...], as: UTF8.self)
        )
        return .incomplete
    }

    private mutating func finish() -> Progress {
        expectsStatusLine = true
        guard status >= 200 else { return .incomplete }
        if followsRedirects, (300..<400).contains(status), headers["Location"] != nil { return .incomplete }
        isComplete = true
        return .complete(ReceivedHead(status: HTTPStatus(status), headers: headers))
    }

    /// The three digits behind the first space of a status line (RFC 9112 §4), or 0.
    private static func statusCode(_ line: [UInt8]) -> Int {
        guard let space = line.firstIndex(of: 0x20) else { return 0 }
        return Int(String(decoding: line[(space + 1)...].prefix(3), as: UTF8.self)) ?? 0
    }
}
