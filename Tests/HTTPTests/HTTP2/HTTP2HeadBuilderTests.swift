import Testing

@testable import HTTP

@Suite("Heads of HTTP/2 requests")
struct HTTP2HeadBuilderTests {
    typealias Fields = [(String, String)]

    private func text(
        _ fields: Fields, hasContent: Bool = false, limits: HeadLimits = HeadLimits()
    ) -> Result<String, MessageError> {
        var builder = HTTP2HeadBuilder()
        for (name, value) in fields {
            builder.add(Array(name.utf8).span, Array(value.utf8).span, limits: limits)
        }
        do throws(MessageError) {
            return .success(String(decoding: try builder.finish(hasContent: hasContent), as: UTF8.self))
        } catch {
            return .failure(error)
        }
    }

    static let usual: Fields = [(":method", "GET"), (":scheme", "https"), (":path", "/a?b"), (":authority", "x.org")]

    @Test("A request is written down as HTTP/1.1 has it")
    func writing() throws {
        let plain = try text(Self.usual + [("accept", "*/*"), ("te", "trailers"), ("x-b", "")]).get()
        let unknownLength = try text(Self.usual, hasContent: true).get()
        let knownLength = try text(Self.usual + [("content-length", "5")], hasContent: true).get()
        let cookies = try text(Self.usual + [("cookie", "a=1"), ("x", "y"), ("cookie", "b=2")]).get()
        let hosts = try text(Self.usual + [("host", "X.org")]).get()
        let onlyHost = try text(Self.usual.dropLast() + [("host", "y.org")]).get()

        #expect(plain == "GET /a?b HTTP/1.1\r\nHost: x.org\r\naccept: */*\r\nx-b: \r\n\r\n")
        #expect(unknownLength.hasSuffix("\r\nTransfer-Encoding: chunked\r\n\r\n"))
        #expect(knownLength.hasSuffix("\r\ncontent-length: 5\r\n\r\n"))
        #expect(cookies.hasSuffix("x: y\r\nCookie: a=1; b=2\r\n\r\n"))
        #expect(hosts == "GET /a?b HTTP/1.1\r\nHost: x.org\r\n\r\n")
        #expect(onlyHost == "GET /a?b HTTP/1.1\r\nHost: y.org\r\n\r\n")
    }

    @Test(
        "What is not well-formed is refused",
        arguments: [
            (usual + [("Accept", "x")], .badFieldName), (usual + [("a b", "x")], .badFieldName),
            (usual + [("a:", "x")], .badFieldName), (usual + [("", "x")], .badFieldName),
            (usual + [("a\r\nb", "x")], .badFieldName), (usual + [("a", "x\r\ny: z")], .badFieldValue),
            (usual + [("a", "x\ny")], .badFieldValue), (usual + [("a", "x\0")], .badFieldValue),
            (usual + [("a", " x")], .badFieldValue), (usual + [("a", "x\t")], .badFieldValue),
            (usual + [("connection", "close")], .connectionField), (usual + [("keep-alive", "1")], .connectionField),
            (usual + [("transfer-encoding", "chunked")], .connectionField),
            (usual + [("upgrade", "h2c")], .connectionField),
            (usual + [("proxy-connection", "x")], .connectionField), (usual + [("te", "gzip")], .connectionField),
            (usual + [(":path", "/b")], .badPseudoField), (usual + [(":status", "200")], .badPseudoField),
            (usual + [("a", "b"), (":method", "GET")], .badPseudoField),
            (usual + [(":protocol", "websocket")], .badPseudoField),
            (usual + [("host", "y.org")], .hostMismatch), (usual + [("host", "")], .badHost),
            (usual + [("host", "x.org"), ("host", "x.org")], .repeatedHost),
            (Array(usual.dropFirst()), .badPseudoField), (Array(usual.dropLast()), .missingHost),
            (usual.filter { $0.0 != ":scheme" }, .badPseudoField), (usual.filter { $0.0 != ":path" }, .badPseudoField),
            ([(":method", "GET"), (":scheme", "ftp"), (":path", "/"), (":authority", "x")], .badPseudoField),
            ([(":method", "GE T"), (":scheme", "http"), (":path", "/"), (":authority", "x")], .badRequestLine),
            ([(":method", "GET"), (":scheme", "http"), (":path", "/ HTTP/1.1"), (":authority", "x")], .badTarget),
            ([(":method", "GET"), (":scheme", "http"), (":path", "http://y/"), (":authority", "x")], .badTarget),
            ([(":method", "GET"), (":scheme", "http"), (":path", ""), (":authority", "x")], .badPseudoField),
            ([(":method", "CONNECT"), (":authority", "x:443")], .connectRefused), ([], .badPseudoField),
        ] as [(Fields, MessageError)])
    func refusals(fields: Fields, error: MessageError) {
        let outcome = text(fields)

        #expect(outcome == .failure(error))
    }

    @Test("A head above the limits is refused, however small its parts")
    func limits() {
        var limits = HeadLimits()
        limits.headBytesMaximum = 1000
        limits.fieldsMaximum = 10
        let long = text(Self.usual + [("a", String(repeating: "x", count: 1000))], limits: limits)
        let many = text(Self.usual + (0..<11).map { ("a\($0)", "") }, limits: limits)
        let enough = text(Self.usual + (0..<10).map { ("a\($0)", "") }, limits: limits)

        #expect(long == .failure(.headTooLarge))
        #expect(many == .failure(.tooManyFields))
        #expect((try? enough.get()) != nil)
    }

    @Test("A budget lets bursts pass and ends floods, and content earns it back")
    func budget() {
        let second: UInt64 = 1_000_000_000
        var budget = FrameBudget(now: 0)
        let burst = (0..<FrameBudget.capacity).allSatisfy { _ in budget.spend(1, now: 0) }
        let flood = budget.spend(1, now: 0)
        let later = (0..<FrameBudget.refillPerSecond - 1).allSatisfy { _ in budget.spend(1, now: second) }
        let tooMany = budget.spend(1, now: second)
        budget.passed(FrameBudget.bytesPerFrame * 3)
        let earned = (0..<2).allSatisfy { _ in budget.spend(1, now: second) }

        #expect(burst)
        #expect(!flood)
        #expect(later)
        #expect(!tooMany)
        #expect(earned)
    }
}
