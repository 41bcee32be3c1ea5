import Dispatch
import Glibc
import Synchronization
import Testing

@testable import HTTP

@Suite("HTTP client", .timeLimit(.minutes(10)))
struct HTTPClientTests {
    @Test("A request arrives as it was given and the response comes back whole")
    func exchanges() async throws {
        let seen = Mutex("")
        let server = try ScriptedServer { connection in
            seen.withLock { $0 = connection.readRequest() ?? "" }
            connection.respond("made", status: "201 Created", headers: "X-One: 1\r\nx-one: 2\r\n")
        }
        let client = HTTPClient()
        let headers = HTTPHeaders([("X-Test", "yes"), ("X-Empty", ""), ("Content-Length", "99")])

        let response = try await client.send(
            HTTPClientRequest(.post, url: server.url("/a?b=c"), headers: headers, body: .bytes(Array("hello".utf8))))

        let request = seen.withLock { $0 }
        #expect(request.hasPrefix("POST /a?b=c HTTP/1.1\r\n"))
        #expect(request.contains("X-Test: yes\r\n"))
        #expect(request.contains("X-Empty:\r\n"))
        #expect(request.contains("Content-Length: 5\r\n") && !request.contains("Length: 99"))
        #expect(!request.contains("Expect"))
        #expect(request.hasSuffix("\r\n\r\nhello"))
        #expect(response.status == .created)
        #expect(response.headers.values(for: "x-one") == ["1", "2"])
        #expect(response.body == Array("made".utf8))
    }

    @Test("One connection serves requests one after another")
    func reuses() async throws {
        let server = try ScriptedServer { connection in
            while connection.readRequest() != nil { connection.respond("x") }
        }
        let client = HTTPClient()

        for method in [HTTPMethod.get, .delete, .get] {
            let response = try await client.send(HTTPClientRequest(method, url: server.url()))
            #expect(response.status == .ok)
        }

        #expect(server.connectionCount == 1)
        #expect(client.connectionsBegun == 1)
    }

    @Test("Over plain HTTP, where no HTTP/2 can come of it, no request waits for the answer to another")
    func sendsAtOnce() async throws {
        let arrivals = DispatchGroup()
        arrivals.enter()
        arrivals.enter()
        let server = try ScriptedServer { connection in
            _ = connection.readRequest()
            arrivals.leave()
            let isMet = arrivals.wait(timeout: .now() + 300) == .success
            connection.respond(isMet ? "both" : "alone")
        }
        let client = HTTPClient()

        async let first = client.send(HTTPClientRequest(url: server.url(), timeout: .seconds(600)))
        async let second = client.send(HTTPClientRequest(url: server.url(), timeout: .seconds(600)))
        let bodies = try await [first.body, second.body]

        #expect(bodies == [Array("both".utf8), Array("both".utf8)])
    }

    @Test("A body longer than allowed ends the transfer")
    func limitsBody() async throws {
        let server = try ScriptedServer { connection in
            _ = connection.readRequest()
            connection.respond(String(repeating: "x", count: 1001))
        }
        var request = HTTPClientRequest(url: server.url())
        request.responseBytesMaximum = 1000

        await #expect(throws: HTTPClientError.bodyTooLarge(bytesMaximum: 1000)) {
            try await HTTPClient().send(request)
        }
    }

    @Test("A header section longer than allowed ends the transfer")
    func limitsHeaders() async throws {
        let server = try ScriptedServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\n")
            while connection.send("X-Filler: \(String(repeating: "y", count: 4000))\r\n") {}
        }

        await #expect(throws: HTTPClientError.headersTooLarge(bytesMaximum: 64 << 10)) {
            try await HTTPClient().send(HTTPClientRequest(url: server.url()))
        }
    }

    @Test("Interim responses and trailers are not taken for the head")
    func skipsInterim() async throws {
        let server = try ScriptedServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n")
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Late\r\n\r\n")
            connection.send("3\r\nabc\r\n0\r\nX-Late: 1\r\n\r\n")
        }

        let response = try await HTTPClient().send(HTTPClientRequest(url: server.url()))

        #expect(response.headers["X-Early"] == nil)
        #expect(response.headers["X-Late"] == nil)
        #expect(response.body == Array("abc".utf8))
    }

    @Test("A redirect is returned, not followed, unless asked for")
    func redirects() async throws {
        let server = try ScriptedServer { connection in
            while let request = connection.readRequest() {
                if request.hasPrefix("GET /new") {
                    connection.respond("arrived")
                } else {
                    connection.respond("", status: "302 Found", headers: "Location: /new\r\n")
                }
            }
        }
        let follower = HTTPClient(configuration: HTTPClientConfiguration(redirectsMaximum: 1))

        let returned = try await HTTPClient().send(HTTPClientRequest(url: server.url("/old")))
        let followed = try await follower.send(HTTPClientRequest(url: server.url("/old")))

        #expect(returned.status == HTTPStatus(302))
        #expect(returned.headers["location"] == "/new")
        #expect(followed.status == .ok)
        #expect(followed.headers["location"] == nil)
        #expect(followed.body == Array("arrived".utf8))
    }

    @Test("A file is sent as the body")
    func sendsFile() async throws {
        let path = "/tmp/farebox-upload-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        let content = [UInt8](repeating: UInt8(ascii: "x"), count: 300_000)
        let file = try #require(fopen(path, "w"))
        _ = content.withUnsafeBytes { fwrite($0.baseAddress, 1, $0.count, file) }
        fclose(file)
        defer { unlink(path) }
        let seen = Mutex("")
        let server = try ScriptedServer { connection in
            seen.withLock { $0 = connection.readRequest() ?? "" }
            connection.respond("ok")
        }

        let response = try await HTTPClient().send(
            HTTPClientRequest(.put, url: server.url(), body: .file(path: path)))

        let request = seen.withLock { Array($0.utf8) }
        let head = String(decoding: request.dropLast(content.count), as: UTF8.self)
        #expect(response.status == .ok)
        #expect(head.contains("Content-Length: 300000\r\n") && head.hasSuffix("\r\n\r\n"))
        #expect(Array(request.suffix(content.count)) == content)
    }

    @Test(
        "A request that cannot be sent is refused before anything leaves",
        arguments: [
            HTTPClientRequest(.put, url: "http://127.0.0.1:1/", body: .file(path: "/does/not/exist")),
            HTTPClientRequest(.put, url: "http://127.0.0.1:1/", body: .file(path: "/tmp")),
            HTTPClientRequest(url: "not a url"), HTTPClientRequest(url: "file:///etc/passwd"),
            HTTPClientRequest(url: "gopher://127.0.0.1/"), HTTPClientRequest(url: ""),
        ])
    func refusesUnsendable(request: HTTPClientRequest) async throws {
        let error = await #expect(throws: HTTPClientError.self) { try await HTTPClient().send(request) }

        #expect(error?.mayHaveArrived == false)
    }

    @Test("URLs with credentials are refused")
    func refusesUserInfo() async throws {
        await #expect(throws: HTTPClientError.self) {
            try await HTTPClient().send(HTTPClientRequest(url: "http://user:secret@127.0.0.1:1/"))
        }
    }

    /// `hello, hello, hello`, compressed by gzip.
    private static let compressedGreeting: [UInt8] = [
        31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 203, 72, 205, 201, 201, 215, 81, 200, 64, 162, 0, 159, 161, 202, 9, 19, 0,
        0, 0,
    ]

    @Test("A compressed response arrives decompressed, when it was asked for")
    func decompresses() async throws {
        let seen = Mutex("")
        let server = try ScriptedServer { connection in
            seen.withLock { $0 = connection.readRequest() ?? "" }
            connection.respond(bytes: Self.compressedGreeting, headers: "Content-Encoding: gzip\r\n")
        }

        let plain = try await HTTPClient().send(HTTPClientRequest(url: server.url()))
        let plainRequest = seen.withLock { $0 }
        let decompressed = try await HTTPClient().send(HTTPClientRequest(url: server.url(), acceptsCompression: true))
        let askingRequest = seen.withLock { $0 }

        #expect(plain.body == Self.compressedGreeting)
        #expect(!plainRequest.contains("Accept-Encoding"))
        #expect(decompressed.body == Array("hello, hello, hello".utf8))
        #expect(askingRequest.contains("Accept-Encoding: gzip\r\n"))
    }

    @Test("The limit of a body counts what it is decompressed to")
    func limitsDecompression() async throws {
        // 300 000 zeros: gzip writes them as these blocks.
        let bomb: [UInt8] = [
            31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 237, 193, 1, 13, 0, 0, 0, 194, 160, 247, 79, 109, 15, 7, 20, 0, 0, 0, 0, 0,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 252, 24,
            251, 226, 178, 246, 224, 147, 4, 0,
        ]
        let server = try ScriptedServer { connection in
            _ = connection.readRequest()
            connection.respond(bytes: bomb, headers: "Content-Encoding: gzip\r\n")
        }
        let request = HTTPClientRequest(url: server.url(), responseBytesMaximum: 100_000, acceptsCompression: true)

        await #expect(throws: HTTPClientError.bodyTooLarge(bytesMaximum: 100_000)) {
            try await HTTPClient().send(request)
        }
    }

    @Test("A configured proxy gets the request")
    func proxy() async throws {
        let seen = Mutex("")
        let proxy = try ScriptedServer { connection in
            seen.withLock { $0 = connection.readRequest() ?? "" }
            connection.respond("by proxy")
        }
        let client = HTTPClient(configuration: HTTPClientConfiguration(proxy: .url(proxy.url(""))))

        let response = try await client.send(HTTPClientRequest(url: "http://does-not-resolve.invalid/path"))

        #expect(response.body == Array("by proxy".utf8))
        #expect(seen.withLock { $0 }.hasPrefix("GET http://does-not-resolve.invalid/path HTTP/1.1\r\n"))
    }

    @Test("When the last reference to a client goes, its kept connections are closed")
    func closesConnections() async throws {
        let (ended, end) = AsyncStream<Void>.makeStream()
        let server = try ScriptedServer { connection in
            while connection.readRequest() != nil { connection.respond("x") }
            end.finish()
        }

        _ = try await HTTPClient().send(HTTPClientRequest(url: server.url()))

        for await _ in ended {}
    }

    @Test("Many requests at once share the connections that are allowed")
    func limitsConnections() async throws {
        let server = try ScriptedServer { connection in
            while connection.readRequest() != nil { connection.respond("x") }
        }
        let client = HTTPClient(configuration: HTTPClientConfiguration(connectionsPerHostMaximum: 3))
        let url = server.url()

        let answers = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<200 { group.addTask { try await client.send(HTTPClientRequest(url: url)).body.count } }
            return try await group.reduce(0, +)
        }

        #expect(answers == 200)
        #expect(server.connectionCount <= 3)
    }
}
