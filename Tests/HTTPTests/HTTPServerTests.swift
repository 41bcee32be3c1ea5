import HTTP
import JSON
import RawSockets
import Synchronization
import Testing

@Suite("HTTP server")
struct HTTPServerTests {
    /// A server that echoes method, path and content.
    private func echoServer(_ change: (inout HTTPServerConfiguration) -> Void = { _ in }) throws -> (HTTPServer, UInt16)
    {
        var configuration = HTTPServerConfiguration()
        configuration.address = "127.0.0.1"
        configuration.timeouts = .patient
        change(&configuration)
        let server = HTTPServer(configuration: configuration) { request in
            do {
                let body = try await request.body.collect(maximumBytes: 1 << 20)
                let content = String(decoding: body, as: UTF8.self)
                return .text(.ok, "\(request.method) \(request.path) [\(content)]")
            } catch HTTPBodyError.tooLarge {
                return .problem(.contentTooLarge, detail: "Too large.", requestID: request.requestID)
            } catch {
                return HTTPResponse(.internalServerError)
            }
        }
        return (server, try server.start())
    }

    @Test("Answers one request after the other on one connection")
    func keepAlive() async throws {
        let (server, port) = try echoServer()
        let client = try RawClient(port: port)

        try await client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
        let first = try await client.receive(until: "[]")
        try await client.send("POST /b?c HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello")
        let second = try await client.receive(until: "]")

        #expect(first.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(first.hasSuffix("GET /a []"))
        #expect(!first.contains("Connection:"))
        #expect(first.contains("\r\nX-Request-Id: "))
        #expect(first.contains("\r\nDate: "))
        #expect(second.hasSuffix("POST /b [hello]"))
        await server.shutdown(grace: .seconds(1))
    }

    @Test("Answers requests that were sent ahead in their order")
    func pipelining() async throws {
        let (server, port) = try echoServer()
        let client = try RawClient(port: port)
        let count = 500
        let requests = (0..<count).map { "POST /\($0) HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n." }.joined()

        try await client.send(requests)
        let answers = try await client.receive(until: "/\(count - 1) [.]")

        let order = answers.split(separator: "POST /").dropFirst().map { $0.prefix { $0.isNumber } }
        #expect(order.map(String.init) == (0..<count).map(String.init))
        await server.shutdown(grace: .seconds(1))
    }

    @Test("A chunked request arrives whole, byte by byte if need be")
    func chunkedByteByByte() async throws {
        let (server, port) = try echoServer()
        let client = try RawClient(port: port)
        let request =
            "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n6\r\n world\r\n0\r\nX: y\r\n\r\n"

        for byte in request.utf8 {
            try await client.send([byte])
        }
        let answer = try await client.receive(until: "]")

        #expect(answer.hasSuffix("POST /c [hello world]"))
        await server.shutdown(grace: .seconds(1))
    }

    @Test("HEAD is answered without content but with its length")
    func headRequest() async throws {
        let (server, port) = try echoServer()
        let client = try RawClient(port: port)

        try await client.send("HEAD /h HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        let answer = try await client.receiveAll()

        #expect(answer.contains("Content-Length: 10\r\n"))
        #expect(answer.contains("Connection: close\r\n"))
        #expect(answer.hasSuffix("\r\n\r\n"))
        await server.shutdown(grace: .seconds(1))
    }

    @Test("100 Continue is sent once the handler reads, and not when it does not")
    func expectContinue() async throws {
        let (server, port) = try echoServer()
        let client = try RawClient(port: port)

        try await client.send("PUT /p HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        let interim = try await client.receive(until: "\r\n\r\n")
        try await client.send("ok")
        let answer = try await client.receive(until: "]")

        #expect(interim == "HTTP/1.1 100 Continue\r\n\r\n")
        #expect(answer.hasSuffix("PUT /p [ok]"))
        await server.shutdown(grace: .seconds(1))
    }

    @Test("HTTP/1.0 ends with its response unless it asks to stay")
    func oldVersion() async throws {
        let (server, port) = try echoServer()
        let closing = try RawClient(port: port)
        let staying = try RawClient(port: port)

        try await closing.send("GET /o HTTP/1.0\r\n\r\n")
        let closed = try await closing.receiveAll()
        try await staying.send("GET /o HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        let stayed = try await staying.receive(until: "[]")

        #expect(closed.hasSuffix("GET /o []"))
        #expect(stayed.contains("Connection: keep-alive\r\n"))
        await server.shutdown(grace: .seconds(1))
    }

    @Test("Content above the limit is refused before it is read")
    func bodyLimit() async throws {
        let (server, port) = try echoServer { $0.bodyBytesMaximum = 100 }
        let known = try RawClient(port: port)
        let chunked = try RawClient(port: port)

        try await known.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\n\r\n")
        let knownAnswer = try await known.receive(until: "}")
        try await chunked.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n")
        try await chunked.send([UInt8](repeating: 0x61, count: 101))
        let chunkedAnswer = try await chunked.receive(until: "}")

        #expect(knownAnswer.hasPrefix("HTTP/1.1 413 "))
        #expect(chunkedAnswer.hasPrefix("HTTP/1.1 413 "))
        await server.shutdown(grace: .seconds(1))
    }

    @Test("A handler that suspends elsewhere still answers, and the client's leaving cancels it")
    func cancellation() async throws {
        let cancelled = AsyncStream<Bool>.makeStream()
        var configuration = HTTPServerConfiguration()
        configuration.timeouts = .patient
        let server = HTTPServer(configuration: configuration) { request in
            if request.path == "/wait" {
                let (stream, continuation) = AsyncStream<Never>.makeStream()
                await withTaskCancellationHandler {
                    for await _ in stream {}
                } onCancel: {
                    continuation.finish()
                }
                cancelled.continuation.yield(Task.isCancelled)
            }
            await Task.detached { await Task.yield() }.value
            return .text(.ok, "done")
        }
        let port = try server.start()
        let staying = try RawClient(port: port)

        try await staying.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        let answer = try await staying.receive(until: "done")
        let leaving = try RawClient(port: port)
        try await leaving.send("POST /wait HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n")
        await leaving.close()
        var iterator = cancelled.stream.makeAsyncIterator()
        let isCancelled = await iterator.next()

        #expect(answer.hasSuffix("done"))
        #expect(isCancelled == true)
        await server.shutdown(grace: .seconds(1))
    }

    @Test("A streamed response waits for a slow client and arrives whole", arguments: [nil, UInt64(8 << 20)])
    func streaming(length: UInt64?) async throws {
        let written = Atomic<Int>(0)
        let total = 8 << 20
        var configuration = HTTPServerConfiguration()
        configuration.timeouts = .patient
        let server = HTTPServer(configuration: configuration) { _ in
            HTTPResponse(
                .ok,
                body: .stream(length: length) { writer in
                    let piece = [UInt8](repeating: 0x78, count: 64 * 1024)
                    while written.load(ordering: .relaxed) < total {
                        try await writer.write(piece)
                        written.add(piece.count, ordering: .relaxed)
                    }
                })
        }
        let port = try server.start()
        let client = try RawClient(port: port, receiveBufferBytes: 16 * 1024)

        try await client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        let head = try await client.receive(maximumBytes: 256)
        let early = written.load(ordering: .relaxed)
        let answer = try await client.receiveAll()

        let count = answer.utf8.count { $0 == 0x78 } + head.count { $0 == 0x78 }
        #expect(count == total)
        #expect(early < total)
        // Not the answer itself, which would be printed.
        let end = answer.suffix(7)
        #expect(end.hasSuffix(length == nil ? "\r\n0\r\n\r\n" : "xxx"))
        await server.shutdown(grace: .seconds(1))
    }

    @Test("Shutting down lets a request under way finish and closes idle connections")
    func gracefulShutdown() async throws {
        let started = AsyncStream<Void>.makeStream()
        let release = AsyncStream<Void>.makeStream()
        var configuration = HTTPServerConfiguration()
        // It is the end of the server that ends the idle connection here.
        configuration.timeouts = .patient
        let server = HTTPServer(configuration: configuration) { _ in
            started.continuation.yield()
            for await _ in release.stream { break }
            return .text(.ok, "finished")
        }
        let port = try server.start()
        let idle = try RawClient(port: port)
        let busy = try RawClient(port: port)

        try await busy.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        for await _ in started.stream { break }
        async let stopping: Void = server.shutdown(grace: .seconds(600))
        let idleEnd = try await idle.receiveAll()
        release.continuation.yield()
        let answer = try await busy.receiveAll()
        await stopping

        #expect(idleEnd.isEmpty)
        #expect(answer.hasSuffix("finished"))
        #expect(answer.contains("Connection: close\r\n"))
        #expect(throws: RawClient.Failure.self) { try RawClient(port: port) }
    }

    @Test("A request cut short reaches no answer and the next connection is fine")
    func truncated() async throws {
        let (server, port) = try echoServer()
        let cut = try RawClient(port: port)
        let next = try RawClient(port: port)

        try await cut.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab")
        cut.endSending()
        let cutAnswer = try await cut.receiveAll()
        try await next.send("GET /n HTTP/1.1\r\nHost: x\r\n\r\n")
        let answer = try await next.receive(until: "[]")

        #expect(cutAnswer.isEmpty)
        #expect(answer.hasSuffix("GET /n []"))
        await server.shutdown(grace: .seconds(1))
    }

    @Test("A server that is leaving ends each connection after its next response and still accepts new ones")
    func leaving() async throws {
        let (server, port) = try echoServer()
        let kept = try RawClient(port: port)

        try await kept.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
        let before = try await kept.receive(until: "[]")
        server.leave()
        try await kept.send("GET /b HTTP/1.1\r\nHost: x\r\n\r\n")
        let after = try await kept.receiveAll()
        let new = try RawClient(port: port)
        try await new.send("GET /c HTTP/1.1\r\nHost: x\r\n\r\n")
        let last = try await new.receiveAll()

        #expect(!before.contains("Connection: close"))
        #expect(after.contains("Connection: close\r\n") && after.hasSuffix("GET /b []"))
        #expect(last.contains("Connection: close\r\n") && last.hasSuffix("GET /c []"))
        await server.shutdown(grace: .seconds(1))
    }

    @Test("A server that is told to end still takes connections for the delay it was given, and then ends")
    func leavesBeforeItEnds() async throws {
        let (server, port) = try echoServer { $0.leaveDelay = .seconds(10) }
        let running = Task { try await server.run() }

        running.cancel()
        let late = try RawClient(port: port)
        try await late.send("GET /late HTTP/1.1\r\nHost: x\r\n\r\n")
        let answer = try await late.receiveAll()
        try await running.value

        #expect(answer.hasSuffix("GET /late []"))
        #expect(throws: RawClient.Failure.self) { try RawClient(port: port) }
    }

    @Test("Requests that were sent before shutting down are answered, also those nobody had accepted yet")
    func freshConnections() async throws {
        let (server, port) = try echoServer()
        let clients = try (0..<100).map { _ in try RawClient(port: port) }
        for client in clients {
            try await client.send("GET /late HTTP/1.1\r\nHost: x\r\n\r\n")
        }

        async let stopping: Void = server.shutdown(grace: .seconds(600))
        var answered = 0
        for client in clients where try await client.receiveAll().hasSuffix("GET /late []") {
            answered += 1
        }
        await stopping

        #expect(answered == clients.count)
    }
}
