import RawSockets
import Synchronization
import Testing

@testable import HTTP

@Suite("HTTP/2 connections", .timeLimit(.minutes(10)))
struct HTTP2ConnectionTests {
    /// A server for plain HTTP/2 that answers with what it was asked.
    private func start(
        router: (any RequestRouter)? = nil, _ change: (inout HTTPServerConfiguration) -> Void = { _ in }
    ) throws -> (HTTPServer, UInt16) {
        var configuration = HTTPServerConfiguration()
        configuration.address = "127.0.0.1"
        configuration.acceptsPlainHTTP2 = true
        configuration.timeouts = .patient
        change(&configuration)
        let server = HTTPServer(
            configuration: configuration, router: router,
            handler: HTTPClosureHandler { request in
                let content = (try? await request.body.collect(maximumBytes: 1 << 20)) ?? []
                let text = "\(request.method) \(request.target) \(request.headers["host"] ?? "") \(content.count)"
                guard request.path != "/large" else {
                    return HTTPResponse(.ok, body: .bytes([UInt8](repeating: 0x61, count: 4 << 20)))
                }
                return .text(.ok, text)
            })
        return (server, try server.start())
    }

    @Test("A request is answered, with and without content")
    func answers() async throws {
        let (server, port) = try start()
        let client = try await FrameClient(port: port)

        try await client.send(FrameClient.request(1, path: "/a?b"))
        let first = try await client.response(1)
        try await client.send(FrameClient.request(3, "POST", path: "/c", ends: false))
        try await client.send(FrameClient.frame(FrameClient.data, stream: 3, [1, 2, 3]))
        try await client.send(FrameClient.frame(FrameClient.data, flags: FrameClient.endStream, stream: 3, [4]))
        let second = try await client.response(3)
        try await client.send(FrameClient.request(5, "HEAD"))
        let third = try await client.response(5)

        #expect(first.content == Array("GET /a?b x 0".utf8))
        #expect(second.content == Array("POST /c x 4".utf8))
        #expect(third.content.isEmpty)
        #expect(third.first?.type == FrameClient.headers)
        await server.shutdown(grace: .seconds(1))
    }

    @Test("HTTP/1.1 is still spoken on the same port, and the preface may come byte by byte")
    func priorKnowledge() async throws {
        let (server, port) = try start()
        let old = try RawClient(port: port)
        let slow = try RawClient(port: port)

        try await old.send("PATCH / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        let text = try await old.receiveAll()
        for byte in HTTP2Connection.preface + FrameClient.frame(FrameClient.settings) {
            try await slow.send([byte])
        }
        let settings = try await slow.receive()

        #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(settings.count >= 9 && settings[3] == FrameClient.settings)
        await server.shutdown(grace: .seconds(1))
    }

    @Test(
        "A request with two meanings is answered 400 or reset, and the connection goes on",
        arguments: [
            [("Upper", "x")], [("connection", "close")], [("transfer-encoding", "chunked")], [("te", "gzip")],
            [(":path", "/twice")], [("host", "other")], [("a", "b\r\nc: d")], [("content-length", "5")],
            [("content-length", "1"), ("content-length", "1")], [("content-length", "+1")], [(":unknown", "x")],
        ] as [[(String, String)]])
    func malformed(fields: [(String, String)]) async throws {
        let (server, port) = try start()
        let client = try await FrameClient(port: port)

        try await client.send(FrameClient.request(1, fields: fields))
        let bad = try await client.response(1)
        try await client.send(FrameClient.request(3))
        let good = try await client.response(3)

        let isRefused = bad.errorCode != nil || String(decoding: bad.content, as: UTF8.self).contains("\"status\":400")
        #expect(isRefused)
        #expect(good.content == Array("GET / x 0".utf8))
        await server.shutdown(grace: .seconds(1))
    }

    @Test("Content beyond or short of its length never reaches a handler as whole", arguments: [2, 6])
    func lengthMismatch(count: Int) async throws {
        let (server, port) = try start()
        let client = try await FrameClient(port: port)

        try await client.send(FrameClient.request(1, "POST", ends: false, fields: [("content-length", "4")]))
        try await client.send(
            FrameClient.frame(
                FrameClient.data, flags: FrameClient.endStream, stream: 1, [UInt8](repeating: 1, count: count)))
        let frames = try await client.response(1)

        #expect(frames.errorCode == 1)
        #expect(frames.content.isEmpty)
        await server.shutdown(grace: .seconds(1))
    }

    /// Floods, each with the frames that are sent again and again.
    enum Flood: String, CaseIterable {
        case resets, pings, settings, emptyData, windowUpdates, priorities, badRequests, continuations
    }

    @Test("A flood ends its connection, and not the server", arguments: Flood.allCases)
    func floods(flood: Flood) async throws {
        let (server, port) = try start()
        let client = try await FrameClient(port: port)
        let other = try await FrameClient(port: port)
        let count: UInt32 = 20_000
        var bytes: [UInt8] = []
        if flood == .emptyData {
            bytes += FrameClient.request(1, "POST", ends: false)
        } else if flood == .continuations {
            bytes += FrameClient.frame(FrameClient.headers, stream: 1, FrameClient.block([("a", "b")]))
        }
        for index in 0..<count {
            let stream = index * 2 + 1
            switch flood {
            case .resets:
                bytes += FrameClient.request(stream)
                bytes += FrameClient.frame(FrameClient.reset, stream: stream, FrameClient.big(8))
            case .pings: bytes += FrameClient.frame(FrameClient.ping, [UInt8](repeating: 0, count: 8))
            case .settings: bytes += FrameClient.frame(FrameClient.settings)
            case .emptyData: bytes += FrameClient.frame(FrameClient.data, stream: 1)
            case .windowUpdates: bytes += FrameClient.frame(FrameClient.windowUpdate, FrameClient.big(1))
            case .priorities: bytes += FrameClient.frame(2, stream: 1, [0, 0, 0, 0, 1])
            case .badRequests: bytes += FrameClient.request(stream, fields: [("te", "gzip")])
            case .continuations:
                bytes += FrameClient.frame(FrameClient.continuation, stream: 1, FrameClient.block([("a", "b")]))
            }
        }

        let sent = try await client.raw.send(bytes, total: bytes.count)
        let frames = try await client.frames { _ in false }
        try await other.send(FrameClient.request(1))
        let answer = try await other.response(1)

        // That reading came to its end says that the connection was ended; a reset may have taken the reason with it.
        #expect(sent <= bytes.count)
        #expect(frames.count < Int(count))
        #expect(frames.errorCode ?? 11 != 0)
        #expect(answer.content == Array("GET / x 0".utf8))
        await server.shutdown(grace: .seconds(1))
    }

    @Test("A head of many fields is refused without being kept")
    func largeHead() async throws {
        let (server, port) = try start()
        let client = try await FrameClient(port: port)
        let fields = (0..<6).map { ("a\($0)", String(repeating: "x", count: 2500)) }

        try await client.send(FrameClient.request(1, fields: fields))
        let fitting = try await client.response(1)
        let many = (0..<200).map { ("a\($0)", "") }
        try await client.send(FrameClient.request(3, fields: many))
        let refused = try await client.response(3)

        #expect(fitting.content == Array("GET / x 0".utf8))
        #expect(String(decoding: refused.content, as: UTF8.self).contains("\"status\":431"))
        await server.shutdown(grace: .seconds(1))
    }

    @Test("More streams than are allowed are refused, the others answered")
    func streamLimit() async throws {
        let (server, port) = try start()
        let client = try await FrameClient(port: port)
        let count = UInt32(HTTP2Connection.streamsMaximum)
        var bytes: [UInt8] = []
        for index in 0..<(count + 1) {
            bytes += FrameClient.request(index * 2 + 1, "POST", ends: false)
        }

        try await client.send(bytes)
        let refused = try await client.response(count * 2 + 1)
        try await client.send(FrameClient.frame(FrameClient.data, flags: FrameClient.endStream, stream: 1, [7]))
        let answered = try await client.response(1)

        #expect(refused.errorCode != nil)
        #expect(answered.content == Array("POST / x 1".utf8))
        await server.shutdown(grace: .milliseconds(100))
    }

    @Test("A client that takes nothing has little kept for it, and gets everything when it does")
    func slowReader() async throws {
        let (server, port) = try start()
        let client = try await FrameClient(port: port)

        try await client.send(FrameClient.request(1, path: "/large"))
        let early = try await client.frames { $0.content.count >= 65_535 }
        try await client.send(FrameClient.frame(FrameClient.windowUpdate, FrameClient.big(8 << 20)))
        try await client.send(FrameClient.frame(FrameClient.windowUpdate, stream: 1, FrameClient.big(8 << 20)))
        let rest = try await client.response(1)

        #expect(early.content.count == 65_535)
        #expect(early.content.count + rest.content.count == 4 << 20)
        await server.shutdown(grace: .seconds(1))
    }

    @Test("An upload is held up by a slow upstream within the window")
    func slowUpstream() async throws {
        let release = AsyncStream<Void>.makeStream()
        let upstream = try RawServer { connection, _ in
            _ = try await connection.receive(until: "\r\n\r\n")
            for await _ in release.stream { break }
            _ = try await connection.receive(until: "\r\n0\r\n\r\n")
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")
        }
        let (server, port) = try start(router: ProxyEverything(destination: TestDestination(ports: [upstream.port])))
        let client = try await FrameClient(port: port)
        let piece = FrameClient.frame(FrameClient.data, stream: 1, [UInt8](repeating: 0x62, count: 16_000))
        let window = Int(HTTP2Connection.streamWindowBytes)

        try await client.send(FrameClient.request(1, "POST", ends: false))
        _ = try await client.frames { $0.contains { $0.type == FrameClient.settings && $0.flags == 0 } }
        for _ in 0..<(window / 16_000) {
            try await client.send(piece)
        }
        release.continuation.yield()
        try await client.send(FrameClient.frame(FrameClient.data, flags: FrameClient.endStream, stream: 1))
        let answer = try await client.response(1)

        #expect(answer.content == Array("done".utf8))
        await server.shutdown(grace: .seconds(1))
    }

    @Test("Proxied requests of many streams come to upstreams as HTTP/1.1, each with its own answer")
    func proxied() async throws {
        let heads = Mutex<[String]>([])
        let upstream = try RawServer { connection, _ in
            while true {
                let head = try await connection.receive(until: "\r\n\r\n")
                guard head.hasSuffix("\r\n\r\n") else { return }
                heads.withLock { $0.append(head) }
                let path = head.split(separator: " ")[1]
                try await connection.send(
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Up: a\r\n\r\n\(String(path.count, radix: 16))\r\n\(path)\r\n0\r\n\r\n"
                )
            }
        }
        let destination = TestDestination(ports: [upstream.port])
        let (server, port) = try start(router: ProxyEverything(destination: destination))
        let client = try await FrameClient(port: port)
        let count: UInt32 = 50
        var bytes: [UInt8] = []
        for index in 0..<count {
            bytes += FrameClient.request(
                index * 2 + 1, path: "/\(index)", fields: [("cookie", "a=1"), ("cookie", "b=2")])
        }

        try await client.send(bytes)
        let frames = try await client.frames {
            $0.count { $0.flags & FrameClient.endStream != 0 && $0.type <= FrameClient.headers } == Int(count)
        }

        for index in 0..<count {
            let content = frames.filter { $0.stream == index * 2 + 1 }.content
            #expect(content == Array("/\(index)".utf8))
        }
        let head = heads.withLock { $0.first } ?? ""
        #expect(head.contains(" HTTP/1.1\r\nHost: x\r\n"))
        #expect(head.contains("Cookie: a=1; b=2\r\n"))
        #expect(head.contains("X-Forwarded-Proto: http\r\n"))
        #expect(destination.outcomes.count { $0.cause == .answered } == Int(count))
        await server.shutdown(grace: .seconds(1))
    }

    @Test("An upstream that breaks off resets the stream, not the connection")
    func cutUpstream() async throws {
        let upstream = try RawServer { connection, number in
            _ = try await connection.receive(until: "\r\n\r\n")
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(number == 1 ? 9 : 2)\r\n\r\nab")
            await connection.close()
        }
        let (server, port) = try start(router: ProxyEverything(destination: TestDestination(ports: [upstream.port])))
        let client = try await FrameClient(port: port)

        try await client.send(FrameClient.request(1))
        let cut = try await client.response(1)
        try await client.send(FrameClient.request(3))
        let whole = try await client.response(3)

        #expect(cut.errorCode == 2)
        #expect(whole.content == Array("ab".utf8))
        await server.shutdown(grace: .seconds(1))
    }

    @Test("A client that leaves, or resets its stream, ends the call", arguments: [true, false])
    func leaving(byReset: Bool) async throws {
        let asked = AsyncStream<Void>.makeStream()
        let upstream = try RawServer { connection, _ in
            _ = try await connection.receive(until: "\r\n\r\n")
            asked.continuation.yield()
            _ = try await connection.receiveAll()
        }
        let destination = TestDestination(ports: [upstream.port])
        let (server, port) = try start(router: ProxyEverything(destination: destination))
        let client = try await FrameClient(port: port)

        try await client.send(FrameClient.request(1))
        for await _ in asked.stream { break }
        if byReset {
            try await client.send(FrameClient.frame(FrameClient.reset, stream: 1, FrameClient.big(8)))
        } else {
            await client.raw.close()
        }
        let isOver = await eventually { !destination.outcomes.isEmpty }

        #expect(isOver)
        #expect(destination.outcomes.first?.cause == .clientLeft)
        await server.shutdown(grace: .milliseconds(100))
    }

    @Test("Content is asked for when a client waits to be asked")
    func expectContinue() async throws {
        let (server, port) = try start()
        let client = try await FrameClient(port: port)

        try await client.send(
            FrameClient.request(1, "POST", ends: false, fields: [("expect", "100-continue"), ("content-length", "2")]))
        let interim = try await client.frames { $0.contains { $0.stream == 1 && $0.type == FrameClient.headers } }
        try await client.send(FrameClient.frame(FrameClient.data, flags: FrameClient.endStream, stream: 1, [1, 2]))
        let answer = try await client.response(1)

        #expect(interim.last.map { $0.flags & FrameClient.endStream == 0 } == true)
        #expect(answer.content == Array("POST / x 2".utf8))
        await server.shutdown(grace: .seconds(1))
    }

    @Test("A request that is answered before it is complete ends without an error")
    func earlyAnswer() async throws {
        let (server, port) = try start { $0.bodyBytesMaximum = 10 }
        let client = try await FrameClient(port: port)

        try await client.send(FrameClient.request(1, "POST", ends: false, fields: [("content-length", "1000")]))
        let frames = try await client.frames { $0.contains { $0.type == FrameClient.reset } }

        #expect(String(decoding: frames.content, as: UTF8.self).contains("\"status\":413"))
        #expect(frames.last { $0.type == FrameClient.reset }?.payload == [0, 0, 0, 0])
        await server.shutdown(grace: .seconds(1))
    }

    @Test("A request waits with its content, whole or not, and others go on meanwhile", arguments: [true, false])
    func waiting(isWhole: Bool) async throws {
        let upstream = try RawServer { connection, _ in
            while true {
                var request = try await connection.receive(until: "\r\n\r\n")
                guard request.contains("\r\n\r\n") else { return }
                // The last chunk may come with the head, or in pieces.
                while request.hasPrefix("POST"), !request.hasSuffix("\r\n0\r\n\r\n") {
                    let more = try await connection.receive()
                    guard !more.isEmpty else { return }
                    request += String(decoding: more, as: UTF8.self)
                }
                try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            }
        }
        let gated = GatedRouter(to: [upstream.port])
        let (server, port) = try start(router: gated)
        let client = try await FrameClient(port: port)
        let content = FrameClient.frame(FrameClient.data, stream: 1, [UInt8](repeating: 0x63, count: 1000))
        let end = FrameClient.frame(FrameClient.data, flags: FrameClient.endStream, stream: 1)

        try await client.send(FrameClient.request(1, "POST", path: "/wait", ends: false) + content)
        if isWhole {
            try await client.send(end)
        }
        try await client.send(FrameClient.request(3, path: "/other"))
        let other = try await client.response(3)
        let asked = gated.gate.asked
        gated.gate.open()
        if !isWhole {
            try await client.send(content + end)
        }
        let answer = try await client.response(1)

        #expect(asked == 1)
        #expect(other.content == Array("ok".utf8))
        #expect(answer.content == Array("ok".utf8))
        await server.shutdown(grace: .seconds(1))
    }

    @Test(
        "A request that waits leaves its gate with its client, and when the wait takes too long",
        arguments: [true, false])
    func leavingGate(byClient: Bool) async throws {
        var gated = GatedRouter(to: [])
        gated.limit = byClient ? .seconds(600) : .milliseconds(50)
        let gate = gated.gate
        let (server, port) = try start(router: gated)
        let client = try await FrameClient(port: port)

        try await client.send(FrameClient.request(1, path: "/wait"))
        let isAsked = await eventually { gate.asked == 1 }
        var answer: [FrameClient.Frame] = []
        if byClient {
            try await client.send(FrameClient.frame(FrameClient.reset, stream: 1, FrameClient.big(8)))
        } else {
            answer = try await client.response(1)
        }
        let hasLeft = await eventually { !gate.departures.isEmpty }

        #expect(isAsked)
        #expect(hasLeft)
        #expect(gate.departures == [byClient ? .clientLeft : .timedOut])
        #expect(byClient || String(decoding: answer.content, as: UTF8.self).contains("\"status\":503"))
        await server.shutdown(grace: .milliseconds(100))
    }

    @Test("A server that goes says so, and finishes what is under way")
    func drain() async throws {
        let asked = AsyncStream<Void>.makeStream()
        let release = AsyncStream<Void>.makeStream()
        let upstream = try RawServer { connection, _ in
            _ = try await connection.receive(until: "\r\n\r\n")
            asked.continuation.yield()
            for await _ in release.stream { break }
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        }
        let (server, port) = try start(router: ProxyEverything(destination: TestDestination(ports: [upstream.port])))
        let client = try await FrameClient(port: port)

        try await client.send(FrameClient.request(1))
        for await _ in asked.stream { break }
        let shutdown = Task { await server.shutdown(grace: .seconds(600)) }
        let told = try await client.frames { $0.contains { $0.type == FrameClient.goAway } }
        release.continuation.yield()
        let rest = try await client.frames { _ in false }
        await shutdown.value

        #expect(told.last { $0.type == FrameClient.goAway }?.payload.suffix(4) == [0, 0, 0, 0])
        #expect(rest.content == Array("ok".utf8))
    }

    @Test("What is no frame, and a preface that changes its mind, end the connection")
    func nonsense() async throws {
        let (server, port) = try start()
        let bad = try await FrameClient(port: port)
        let changed = try RawClient(port: port)

        try await bad.send([UInt8](repeating: 0xFF, count: 4096))
        let frames = try await bad.frames { _ in false }
        try await changed.send("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n")
        let text = try await changed.receiveAll()

        #expect(frames.errorCode != nil)
        #expect(text.hasPrefix("HTTP/1.1 "))
        await server.shutdown(grace: .seconds(1))
    }
}
