import Testing

@testable import HTTP

@Suite("Response heads")
struct UpstreamHeadTests {
    private func parse(_ text: String, answersHead: Bool = false) throws(MessageError) -> UpstreamHead {
        let bytes = Array(text.utf8)
        var scanner = HeadScanner()
        var head = UpstreamHead()
        guard case .complete(let end) = try scanner.scan(bytes.span, limits: HeadLimits()) else {
            throw .badStatusLine
        }
        try head.parse(bytes.span.extracting(0..<end), end: end, answersHead: answersHead, limits: HeadLimits())
        return head
    }

    static let framingCases: [(String, Bool, BodyFraming)] = [
        ("200 OK\r\nContent-Length: 5\r\n", false, .length(5)),
        ("200 OK\r\nContent-Length: 5\r\n", true, .none), ("204 No Content\r\n", false, .none),
        ("304 Not Modified\r\nContent-Length: 9\r\n", false, .none), ("200 \r\n", false, .untilClose),
        ("200\r\nTransfer-Encoding: chunked\r\n", false, .chunked),
        ("200 OK\r\nContent-Length: 0\r\n", false, .none),
    ]

    @Test("The end of the content follows from status, fields and request", arguments: framingCases)
    func framing(text: String, answersHead: Bool, expected: BodyFraming) throws {
        let head = try parse("HTTP/1.1 " + text + "\r\n", answersHead: answersHead)

        #expect(head.framing == expected)
        #expect(head.keepsConnection == (expected != .untilClose))
    }

    static let nonsenseCases: [(String, MessageError)] = [
        ("HTTP/1.1 20 OK\r\n\r\n", .badStatusLine), ("HTTP/1.1 99 x\r\n\r\n", .badStatusLine),
        ("HTTP/2 200 OK\r\n\r\n", .badStatusLine), ("http/1.1 200 OK\r\n\r\n", .badStatusLine),
        ("HTTP/1.1 2000\r\n\r\n", .badStatusLine), ("HTTP/1.1 200 OK\n\n", .lineFeedWithoutReturn),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", .repeatedContentLength),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", .lengthAndTransferCoding),
        ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", .transferCodingInOldVersion),
        ("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", .foldedField),
    ]

    @Test("Nonsense is refused", arguments: nonsenseCases)
    func nonsense(text: String, expected: MessageError) {
        #expect(throws: expected) { try parse(text) }
    }
}
