import RawSockets
import Synchronization
import Testing

@testable import HTTP

private let getRequest = "GET /p?q HTTP/1.1\r\nHost: h.example\r\n\r\n"

@Suite("Proxying")
struct ProxyTests {
    /// An upstream that reads a head and answers each with the same bytes.
    private func answering(_ answer: String) throws -> RawServer {
        try RawServer { connection, _ in
            while try await connection.receive(until: "\r\n\r\n").contains("\r\n\r\n") {
                try await connection.send(answer)
            }
        }
    }

    @Test("What concerns one connection is dropped, and only we tell about the client")
    func requestHead() async throws {
        let seen = Mutex("")
        let upstream = try RawServer { connection, _ in
            let text = try await connection.receive(until: "\r\n\r\n")
            seen.withLock { $0 = text }
            try await connection.send("HTTP/1.1 204 No Content\r\n\r\n")
        }
        let proxy = try ProxyFixture(to: [upstream.port])
        let client = try RawClient(port: proxy.port)

        try await client.send(
            "GET /a%2Fb?x=%zz HTTP/1.1\r\nHost: h.example:80\r\nX-Keep: 1\r\nConnection: close, X-Private\r\n"
                + "X-Private: 2\r\nX-Forwarded-For: 6.6.6.6\r\nX_Forwarded_For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\n"
                + "TE: trailers\r\nProxy: evil\r\nUpgrade: h2c\r\nX-Request-Id: my-id\r\nTraceparent: 00-a-b-01\r\nAccept: a\r\n"
                + "Accept: b\r\n\r\n"
        )
        let answer = try await client.receiveAll()

        let lines = seen.withLock { $0 }.split(separator: "\r\n").map(String.init)
        #expect(
            lines == [
                "GET /a%2Fb?x=%zz HTTP/1.1", "Host: h.example:80", "X-Keep: 1", "Traceparent: 00-a-b-01", "Accept: a",
                "Accept: b", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Proto: http", "X-Forwarded-Host: h.example:80",
                "Forwarded: for=127.0.0.1;proto=http;host=\"h.example:80\"", "X-Request-Id: my-id",
            ])
        #expect(answer.hasPrefix("HTTP/1.1 204 No Content\r\nDate: "))
        #expect(answer.contains("\r\nX-Request-Id: my-id\r\n"))
        #expect(answer.contains("\r\nConnection: close\r\n"))
        #expect(!answer.contains("Content-Length"))
        await proxy.stop()
    }

    @Test("Calls that are under way at once leave all their connections to the next ones")
    func keepsConnectionsOfABurst() async throws {
        let arrived = Atomic<Int>(0)
        let count = 150
        let upstream = try RawServer { connection, _ in
            for round in 1...2 {
                _ = try await connection.receive(until: "\r\n\r\n")
                arrived.add(1, ordering: .relaxed)
                #expect(await eventually { arrived.load(ordering: .relaxed) >= round * count })
                try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            }
        }
        let proxy = try ProxyFixture(to: [upstream.port])
        let clients = try (0..<count).map { _ in try RawClient(port: proxy.port) }

        for _ in 1...2 {
            for client in clients { try await client.send(getRequest) }
            for client in clients {
                let answer = try await client.receive(until: "ok")
                #expect(answer.hasPrefix("HTTP/1.1 200 "))
            }
        }

        #expect(upstream.connections == count)
        await proxy.stop()
    }

    @Test(
        "A request without a trace begins one, by its own id where that is ours",
        arguments: ["", "X-Request-Id: mine\r\n"])
    func beginsTrace(field: String) async throws {
        let seen = Mutex("")
        let upstream = try RawServer { connection, _ in
            let text = try await connection.receive(until: "\r\n\r\n")
            seen.withLock { $0 = text }
            try await connection.send("HTTP/1.1 204 No Content\r\n\r\n")
        }
        let proxy = try ProxyFixture(to: [upstream.port])
        let client = try RawClient(port: proxy.port)

        try await client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\(field)\r\n")
        _ = try await client.receiveAll()

        let fields = seen.withLock { $0 }.split(separator: "\r\n").map { $0.split(separator: " ").map(String.init) }
        let trace = try #require(fields.first { $0.first == "traceparent:" }?.last).split(separator: "-")
        let request = try #require(fields.first { $0.first == "X-Request-Id:" }?.last)
        #expect(trace.map(\.count) == [2, 32, 16, 2])
        #expect(trace.first == "00" && trace.last == "00")
        #expect(trace.joined().allSatisfy { $0.isHexDigit && !$0.isUppercase })
        #expect((String(trace[1]) == request) == field.isEmpty)
        await proxy.stop()
    }

    static let responseCases: [(String, String, String)] = [
        ("Content-Length: 5\r\nX: y\r\n\r\nhello", "Content-Length: 5\r\n", "hello"),
        (
            "Transfer-Encoding: chunked\r\n\r\n5;ext=1\r\nhello\r\n0\r\nT: t\r\n\r\n", "chunked\r\n",
            "5\r\nhello\r\n0\r\n\r\n"
        ),
        ("Content-Length: 0\r\n\r\n", "Content-Length: 0\r\n", ""),
        ("Connection: X-Secret\r\nX-Secret: 1\r\nKeep-Alive: x\r\nContent-Length: 2\r\n\r\nok", "Length: 2\r\n", "ok"),
    ]

    @Test("Responses are framed anew and stripped of what is not for the client", arguments: responseCases)
    func responses(rest: String, framing: String, content: String) async throws {
        let upstream = try answering("HTTP/1.1 200 Fine\r\n" + rest)
        let proxy = try ProxyFixture(to: [upstream.port])
        let client = try RawClient(port: proxy.port)

        try await client.send(getRequest)
        let answer = try await client.receive(until: "\r\n\r\n" + content)
        try await client.send(getRequest)
        let second = try await client.receive(until: "\r\n\r\n" + content)

        #expect(answer.hasPrefix("HTTP/1.1 200 Fine\r\n"))
        #expect(answer.contains(framing))
        #expect(answer.hasSuffix("\r\n\r\n" + content))
        #expect(!answer.contains("X-Secret") && !answer.contains("Keep-Alive") && !answer.contains("ext"))
        #expect(second.hasSuffix("\r\n\r\n" + content))
        #expect(upstream.connections == 1)
        await proxy.stop()
    }

    @Test("A response that ends with its connection becomes chunked, or closes an HTTP/1.0 client's connection")
    func untilClose() async throws {
        let upstream = try RawServer { connection, _ in
            _ = try await connection.receive(until: "\r\n\r\n")
            try await connection.send("HTTP/1.0 200 OK\r\n\r\nhello")
            await connection.close()
        }
        let proxy = try ProxyFixture(to: [upstream.port])
        let new = try RawClient(port: proxy.port)
        let old = try RawClient(port: proxy.port)

        try await new.send(getRequest)
        let chunked = try await new.receive(until: "\r\n0\r\n\r\n")
        try await old.send("GET / HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n")
        let plain = try await old.receiveAll()

        #expect(chunked.hasSuffix("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"))
        #expect(plain.hasSuffix("Connection: close\r\n\r\nhello"))
        await proxy.stop()
    }

    static let nonsense: [String] = [
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 0\n\n", "SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 101 Switching\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: " + String(repeating: "a", count: 40_000) + "\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Le",
    ]

    @Test("An upstream's nonsense is 502 and its connection is not used again", arguments: nonsense)
    func badUpstream(answer: String) async throws {
        let upstream = try RawServer { connection, _ in
            _ = try await connection.receive(until: "\r\n\r\n")
            try await connection.send(answer)
            connection.endSending()
            _ = try await connection.receiveAll()
        }
        let proxy = try ProxyFixture(to: [upstream.port])
        let client = try RawClient(port: proxy.port)

        try await client.send(getRequest)
        let first = try await client.receive(until: "}")
        try await client.send(getRequest)
        let second = try await client.receive(until: "}")

        #expect(first.hasPrefix("HTTP/1.1 502 Bad Gateway\r\n"))
        #expect(first.contains("\"requestId\":"))
        #expect(second.hasPrefix("HTTP/1.1 502 Bad Gateway\r\n"))
        #expect(upstream.connections == 2)
        #expect(proxy.destination.outcomes.map(\.cause) == [.upstreamFailed, .upstreamFailed])
        await proxy.stop()
    }

    static let cut: [String] = [
        "Content-Length: 10\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n",
    ]

    @Test("A response that is cut short is cut short for the client too", arguments: cut)
    func cutResponse(rest: String) async throws {
        let upstream = try RawServer { connection, _ in
            _ = try await connection.receive(until: "\r\n\r\n")
            try await connection.send("HTTP/1.1 200 OK\r\n" + rest)
            await connection.close()
        }
        let proxy = try ProxyFixture(to: [upstream.port])
        let client = try RawClient(port: proxy.port)

        try await client.send(getRequest)
        let answer = try await client.receiveAll()

        #expect(answer.contains("hello"))
        #expect(!answer.hasSuffix("0\r\n\r\n"))
        #expect(proxy.destination.outcomes.map(\.cause) == [.upstreamFailed])
        await proxy.stop()
    }

    @Test("Interim responses stay between upstream and proxy, and bytes after a response spoil its connection")
    func interimAndSurplus() async throws {
        let upstream = try answering(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
                + "\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        let proxy = try ProxyFixture(to: [upstream.port])
        let client = try RawClient(port: proxy.port)

        try await client.send(getRequest)
        let first = try await client.receive(until: "ok")
        try await client.send(getRequest)
        let second = try await client.receive(until: "ok")

        #expect(first.hasPrefix("HTTP/1.1 200 OK\r\n") && first.hasSuffix("\r\n\r\nok"))
        #expect(second.hasPrefix("HTTP/1.1 200 OK\r\n") && second.hasSuffix("\r\n\r\nok"))
        #expect(upstream.connections == 2)
        await proxy.stop()
    }

    @Test("A chunked upload is framed anew, and the client is told to go on when it waits")
    func chunkedUpload() async throws {
        let seen = Mutex("")
        let upstream = try RawServer { connection, _ in
            let text = try await connection.receive(until: "0\r\n\r\n")
            seen.withLock { $0 = text }
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")
        }
        let proxy = try ProxyFixture(to: [upstream.port])
        let client = try RawClient(port: proxy.port)

        try await client.send(
            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n")
        let interim = try await client.receive(until: "\r\n\r\n")
        try await client.send("00005;a=b\r\nhello\r\n1\r\n!\r\n0\r\nTrailer: t\r\n\r\n")
        let answer = try await client.receive(until: "done")

        let text = seen.withLock { $0 }
        #expect(interim == "HTTP/1.1 100 Continue\r\n\r\n")
        #expect(answer.hasSuffix("done"))
        #expect(text.contains("Transfer-Encoding: chunked\r\n"))
        #expect(!text.contains("Expect") && !text.contains("Trailer") && !text.contains("a=b"))
        #expect(text.hasSuffix("\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"))
        await proxy.stop()
    }

    @Test("An answer that comes before the request is complete reaches the client, and both connections end")
    func earlyAnswer() async throws {
        let upstream = try RawServer { connection, _ in
            _ = try await connection.receive(until: "\r\n\r\n")
            try await connection.send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
            _ = try await connection.receiveAll()
        }
        let proxy = try ProxyFixture(to: [upstream.port])
        let client = try RawClient(port: proxy.port)

        try await client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\nabc")
        let answer = try await client.receiveAll()

        #expect(answer.hasPrefix("HTTP/1.1 413 Too Large\r\n"))
        #expect(answer.hasSuffix("no"))
        await proxy.stop()
    }

    @Test("HEAD and 304 tell a length without content, and their connections stay")
    func noContent() async throws {
        let upstream = try answering("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n")
        let proxy = try ProxyFixture(to: [upstream.port])
        let client = try RawClient(port: proxy.port)

        for method in ["HEAD", "GET", "HEAD"] {
            try await client.send("\(method) / HTTP/1.1\r\nHost: x\r\n\r\n")
            let answer = try await client.receive(until: "\r\n\r\n")
            #expect(answer.contains("Content-Length: 5\r\n") && answer.hasSuffix("\r\n\r\n"))
        }

        #expect(upstream.connections == 1)
        await proxy.stop()
    }
}
