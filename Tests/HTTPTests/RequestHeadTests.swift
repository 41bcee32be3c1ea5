import Testing

@testable import HTTP

/// What a request's bytes mean, as far as a head goes.
private func parse(_ text: String, limits: HeadLimits = HeadLimits()) -> Result<RequestHead, MessageError> {
    parse(Array(text.utf8), limits: limits)
}

private func parse(_ bytes: [UInt8], limits: HeadLimits = HeadLimits()) -> Result<RequestHead, MessageError> {
    var scanner = HeadScanner()
    var head = RequestHead()
    do throws(MessageError) {
        guard case .complete(let end) = try scanner.scan(bytes.span, limits: limits) else {
            return .failure(.badRequestLine)
        }
        try head.parse(bytes.span.extracting(0..<end), end: end, limits: limits)
        return .success(head)
    } catch {
        return .failure(error)
    }
}

private func failure(of text: String, limits: HeadLimits = HeadLimits()) -> MessageError? {
    if case .failure(let error) = parse(text, limits: limits) {
        return error
    }
    return nil
}

private let getLine = "GET / HTTP/1.1\r\n"
private let postLines = "POST / HTTP/1.1\r\nHost: x\r\n"

@Suite("Request heads")
struct RequestHeadTests {
    static let ambiguousFramingCases: [(String, MessageError)] = [
        (postLines + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", .lengthAndTransferCoding),
        (postLines + "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", .lengthAndTransferCoding),
        (postLines + "Content-Length: 1\r\nContent-Length: 2\r\n", .repeatedContentLength),
        (postLines + "Content-Length: 1\r\nContent-Length: 1\r\n", .repeatedContentLength),
        (postLines + "Content-Length: 1, 1\r\n", .badContentLength),
        (postLines + "Content-Length: +1\r\n", .badContentLength),
        (postLines + "Content-Length: -1\r\n", .badContentLength),
        (postLines + "Content-Length: 0x1\r\n", .badContentLength),
        (postLines + "Content-Length: 1 1\r\n", .badContentLength),
        (postLines + "Content-Length:\r\n", .badContentLength),
        (postLines + "Content-Length: 99999999999999999999\r\n", .badContentLength),
        (postLines + "Transfer-Encoding : chunked\r\n", .badFieldName),
        (postLines + "Transfer-Encoding: xchunked\r\n", .badTransferCoding),
        (postLines + "Transfer-Encoding: gzip, chunked\r\n", .badTransferCoding),
        (postLines + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", .badTransferCoding),
        (postLines + "Transfer-Encoding: chunked, identity\r\n", .badTransferCoding),
        (postLines + "Transfer-Encoding: \u{0B}chunked\r\n", .badFieldValue),
        (postLines + "Transfer-Encoding:\r\n", .badTransferCoding),
        (postLines + "Transfer-Encoding: \"chunked\"\r\n", .badTransferCoding),
        ("POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n", .transferCodingInOldVersion),
    ]

    @Test("Ambiguous or malformed framing is refused", arguments: ambiguousFramingCases)
    func ambiguousFraming(text: String, expected: MessageError) {
        let refusal = failure(of: text + "\r\n")

        #expect(refusal == expected)
    }

    static let malformedLinesCases: [(String, MessageError)] = [
        ("GET / HTTP/1.1\nHost: x\n\n", .lineFeedWithoutReturn),
        ("GET / HTTP/1.1\r\nHost: x\n\r\n", .lineFeedWithoutReturn),
        (getLine + "Host: x\r\nA: b\r\n c\r\n\r\n", .foldedField),
        (getLine + "Host: x\r\nA: b\r\n\tc\r\n\r\n", .foldedField),
        (getLine + " Host: x\r\n\r\n", .foldedField),
        (getLine + "Host: x\r\nA: b\u{0}c\r\n\r\n", .badFieldValue),
        (getLine + "Host: x\r\nA: b\rc\r\n\r\n", .badFieldValue),
        (getLine + "Host: x\r\nA: b\u{7F}c\r\n\r\n", .badFieldValue),
        (getLine + "Host: x\r\nA\r\n\r\n", .badFieldName),
        (getLine + "Host: x\r\n: b\r\n\r\n", .badFieldName),
        (getLine + "Host: x\r\nA b: c\r\n\r\n", .badFieldName),
        (getLine + "Host: x\r\nÄ: c\r\n\r\n", .badFieldName),
        (getLine + "Host: x\r\nA(b): c\r\n\r\n", .badFieldName),
        ("GET  / HTTP/1.1\r\nHost: x\r\n\r\n", .badRequestLine),
        ("GET / HTTP/1.1 \r\nHost: x\r\n\r\n", .badRequestLine),
        ("GET /\r\nHost: x\r\n\r\n", .badRequestLine),
        ("GET\t/\tHTTP/1.1\r\nHost: x\r\n\r\n", .badRequestLine),
        (" GET / HTTP/1.1\r\nHost: x\r\n\r\n", .badRequestLine),
        ("G\u{0}T / HTTP/1.1\r\nHost: x\r\n\r\n", .badRequestLine),
        ("GET / http/1.1\r\nHost: x\r\n\r\n", .badRequestLine),
        ("GET / HTTP/1.1x\r\nHost: x\r\n\r\n", .badRequestLine),
        ("GET / HTTP/11\r\nHost: x\r\n\r\n", .badRequestLine),
        ("GET / HTTP/1.2\r\nHost: x\r\n\r\n", .versionNotSupported),
        ("GET / HTTP/2.0\r\nHost: x\r\n\r\n", .versionNotSupported),
        ("PRI * HTTP/2.0\r\n\r\n", .versionNotSupported),
        ("GET / HTTP/0.9\r\nHost: x\r\n\r\n", .versionNotSupported),
        ("\r\n\r\n", .badRequestLine),
    ]

    @Test("Malformed lines are refused", arguments: malformedLinesCases)
    func malformedLines(text: String, expected: MessageError) {
        let refusal = failure(of: text)

        #expect(refusal == expected)
    }

    static let targetsCases: [(String, MessageError)] = [
        ("/a/../b", .dotSegment), ("/..", .dotSegment), ("/a/.", .dotSegment), ("/./a", .dotSegment),
        ("/a/%2e%2E/b", .dotSegment), ("/a/.%2e", .dotSegment), ("/%2E/", .dotSegment),
        ("/a\\b", .badTarget), ("/a%0", .badTarget), ("/a%zz", .badTarget), ("/a%00b", .badTarget),
        ("/a#b", .badTarget), ("/a?b#c", .badTarget), ("/ä", .badTarget), ("*", .badTarget), ("a", .badTarget),
        ("x:80", .badTarget), ("ftp://x/", .badTarget), ("http:///a", .badTarget), ("http://u@x/", .badTarget),
        ("http://y/", .hostMismatch),
    ]

    @Test("Targets that could mean another path are refused", arguments: targetsCases)
    func targets(target: String, expected: MessageError) {
        let refusal = failure(of: "GET \(target) HTTP/1.1\r\nHost: x\r\n\r\n")

        #expect(refusal == expected)
    }

    static let goodTargetsCases: [(String, String, String?)] = [
        ("/", "/", nil), ("/a/b", "/a/b", nil), ("/a%2Fb?c?d/../e", "/a%2Fb", "c?d/../e"), ("/...", "/...", nil),
        ("/a..b/.c", "/a..b/.c", nil), ("//a", "//a", nil), ("http://X/a?b", "/a", "b"), ("http://x", "", nil),
        ("/?", "/", ""),
    ]

    @Test("Targets are taken apart as they were sent", arguments: goodTargetsCases)
    func goodTargets(target: String, path: String, query: String?) throws {
        let bytes = Array("GET \(target) HTTP/1.1\r\nHost: x\r\n\r\n".utf8)

        let head = try parse(bytes).get()

        #expect(bytes.span.text(head.path) == path)
        #expect(head.query.map { bytes.span.text($0) } == query)
    }

    static let badHostsCases: [(String, MessageError)] = [
        ("", .missingHost), ("Host: x\r\nHost: x\r\n", .repeatedHost),
        ("Host: x\r\nhost: y\r\n", .repeatedHost), ("Host:\r\n", .badHost), ("Host: x y\r\n", .badHost),
        ("Host: x/y\r\n", .badHost), ("Host: x:y\r\n", .badHost), ("Host: u@x\r\n", .badHost),
        ("Host: x,y\r\n", .badHost), ("Host: x:123456\r\n", .badHost), ("Host: [::1\r\n", .badHost),
        ("Host: :80\r\n", .badHost), ("Host: %61\r\n", .badHost),
    ]

    @Test("Host is given once and is a host", arguments: badHostsCases)
    func badHosts(fields: String, expected: MessageError) {
        let refusal = failure(of: getLine + fields + "\r\n")

        #expect(refusal == expected)
    }

    @Test("Well-formed hosts pass", arguments: ["x", "a.b.c:80", "[::1]:8080", "127.0.0.1", "a_b.c.", "x:"])
    func goodHosts(host: String) throws {
        let bytes = Array((getLine + "Host: \(host)\r\n\r\n").utf8)

        let head = try parse(bytes).get()

        #expect(head.host.map { bytes.span.text($0) } == host)
    }

    static let limitsCases: [(String, MessageError)] = [
        ("GET /" + String(repeating: "a", count: 8192) + " HTTP/1.1\r\n\r\n", .requestLineTooLong),
        ("GET /" + String(repeating: "a", count: 9000), .requestLineTooLong),
        (getLine + "A: " + String(repeating: "a", count: 32768) + "\r\n\r\n", .headTooLarge),
        (getLine + "A: " + String(repeating: "a", count: 33000), .headTooLarge),
        (getLine + "Host: x\r\n" + String(repeating: "A: b\r\n", count: 100) + "\r\n", .tooManyFields),
    ]

    @Test("Limits are kept", arguments: limitsCases)
    func limits(text: String, expected: MessageError) {
        let refusal = failure(of: text)

        #expect(refusal == expected)
    }

    @Test("Connections and expectations are understood")
    func connectionFields() throws {
        let closing = try parse(getLine + "Host: x\r\nConnection: Close, x-a\r\nX-A: 1\r\n\r\n").get()
        let old = try parse("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").get()
        let oldest = try parse("GET / HTTP/1.0\r\n\r\n").get()
        let waiting = try parse(postLines + "Content-Length: 1\r\nExpect: 100-Continue\r\n\r\n").get()
        let socket = try parse(getLine + "Host: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\r\n")
            .get()
        let clear = try parse(getLine + "Host: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n").get()

        #expect(!closing.keepsConnection)
        #expect(closing.connectionFields.nominated.count == 1)
        #expect(old.keepsConnection && !oldest.keepsConnection)
        #expect(waiting.expectsContinue)
        #expect(socket.upgrade != nil)
        #expect(clear.upgrade == nil)
        #expect(failure(of: postLines + "Expect: 200-ok\r\n\r\n") == .unknownExpectation)
        #expect(failure(of: "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n") == .connectRefused)
    }

    @Test("A fit request id is taken, any other is not", arguments: [("a-B_1.2", true), ("a b", false), ("", false)])
    func requestIDs(id: String, isFit: Bool) throws {
        let head = try parse(getLine + "Host: x\r\nX-Request-Id: \(id)\r\n\r\n").get()
        let repeated = try parse(getLine + "Host: x\r\nX-Request-Id: a\r\nX-Request-Id: b\r\n\r\n").get()
        let long = String(repeating: "a", count: 129)
        let tooLong = try parse(getLine + "Host: x\r\nX-Request-Id: \(long)\r\n\r\n").get()

        #expect((head.requestID != nil) == isFit)
        #expect(repeated.requestID == nil)
        #expect(tooLong.requestID == nil)
    }

    static let droppedFieldsCases: [(String)] = [
        "X_Forwarded_For", "x-forwarded-host", "X-Forwarded-Anything", "Forwarded", "X-Real-IP", "X_Real_Ip",
        "Content_Length", "Transfer_Encoding", "Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "TE",
        "Trailer", "Proxy", "HTTP2-Settings", "X_Request_Id",
    ]

    @Test("Fields that only look like known ones are never passed on", arguments: droppedFieldsCases)
    func droppedFields(name: String) {
        let bytes = Array(name.utf8)

        let kind = FieldKind.classify(ByteRange(0, bytes.count), in: bytes.span)

        #expect(kind == .dropped)
    }

    @Test("A head cut anywhere is incomplete, never something else")
    func truncation() throws {
        let whole = Array((postLines + "Content-Length: 3\r\nConnection: close\r\n\r\n").utf8)

        for count in 0..<whole.count {
            var scanner = HeadScanner()
            let part = Array(whole[..<count])
            let outcome = try scanner.scan(part.span, limits: HeadLimits())
            #expect(outcome == .incomplete)
        }
    }

    @Test("However a head is mutated, it is parsed alike in one piece and byte by byte, and without a trap")
    func mutations() async {
        let seeds = [
            postLines + "Content-Length: 3\r\nX-A: b\r\n\r\nabc",
            getLine + "Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n\r\n",
            "GET http://x/a%20b?c HTTP/1.0\r\nHost: x\r\nExpect: 100-continue\r\nX-Request-Id: 1\r\n\r\n",
        ].map { Array($0.utf8) }
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = FastRandom(seed: seed)
        let alphabet = Array("\r\n\t :,;%./\\?#=[]\u{0}\u{7F}aZ09-_".utf8) + [0x80, 0xFF]

        for round in 0..<300 {  // hack/fuzz does it for longer
            await Task.yield()
            var bytes = seeds[round % seeds.count]
            for _ in 0...Int.random(in: 0..<4, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
                case 1: bytes.insert(alphabet[Int.random(in: 0..<alphabet.count, using: &random)], at: place)
                default: bytes.remove(at: place)
                }
            }
            let whole = outcome(bytes, step: bytes.count)
            let pieces = outcome(bytes, step: 1)
            #expect(whole == pieces, "seed \(seed), round \(round)")
        }
    }

    /// What a scanner that gets `step` bytes more each time, and then the parser, make of `bytes`.
    private func outcome(_ bytes: [UInt8], step: Int) -> String {
        var scanner = HeadScanner()
        var head = RequestHead()
        var count = 0
        do throws(MessageError) {
            while count < bytes.count {
                count = min(bytes.count, count + step)
                let part = Array(bytes[..<count])
                guard case .complete(let end) = try scanner.scan(part.span, limits: HeadLimits()) else {
                    continue
                }
                try head.parse(bytes.span.extracting(0..<end), end: end, limits: HeadLimits())
                return "\(end) \(head.framing) \(head.path) \(String(describing: head.host)) \(head.keepsConnection)"
            }
            return "incomplete"
        } catch {
            return "\(error)"
        }
    }
}
