import Synchronization
import Testing

@testable import HTTP

@Suite("HTTP client when things go wrong", .timeLimit(.minutes(10)))
struct HTTPClientFailureTests {
    @Test("Nobody listening is a failed connection, and nothing was sent")
    func nobodyListens() async throws {
        let error = await #expect(throws: HTTPClientError.self) {
            try await HTTPClient().send(HTTPClientRequest(url: "http://127.0.0.1:1/"))
        }

        guard case .connectionFailed = error else {
            Issue.record("unexpected \(String(describing: error))")
            return
        }
        #expect(error?.mayHaveArrived == false)
    }

    @Test(
        "A connection that breaks is a lost one, and the request may have arrived",
        arguments: ["", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"])
    func breaks(answer: String) async throws {
        let server = try ScriptedServer { connection in
            _ = connection.readRequest()
            connection.send(answer)
        }

        let error = await #expect(throws: HTTPClientError.self) {
            try await HTTPClient().send(HTTPClientRequest(.post, url: server.url(), body: .bytes([1])))
        }

        guard case .connectionLost(_, mayHaveArrived: true) = error else {
            Issue.record("unexpected \(String(describing: error))")
            return
        }
    }

    @Test("A write is not sent twice when a kept connection turns out closed")
    func doesNotRepeatWrites() async throws {
        let requests = Atomic<Int>(0)
        let server = try ScriptedServer { connection in
            var isFirst = true
            while connection.readRequest() != nil {
                requests.wrappingAdd(1, ordering: .sequentiallyConsistent)
                guard isFirst else { return }
                isFirst = false
                connection.respond("ok")
            }
        }
        let client = HTTPClient()
        let request = HTTPClientRequest(.post, url: server.url(), body: .bytes(Array("pay".utf8)))
        _ = try await client.send(request)

        let error = await #expect(throws: HTTPClientError.self) { try await client.send(request) }

        #expect(error?.mayHaveArrived == true)
        #expect(requests.load(ordering: .sequentiallyConsistent) == 2)
    }

    @Test("A server that says nothing is left after the time limit")
    func timesOut() async throws {
        let server = try ScriptedServer { connection in
            _ = connection.readRequest()
            connection.waitForEnd()
        }
        var request = HTTPClientRequest(url: server.url())
        request.timeout = .milliseconds(100)

        let error = await #expect(throws: HTTPClientError.self) { try await HTTPClient().send(request) }

        guard case .timedOut = error else {
            Issue.record("unexpected \(String(describing: error))")
            return
        }
    }

    @Test("A stream that falls silent is left after the idle limit, however long it ran before")
    func fallsSilent() async throws {
        let server = try ScriptedServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
            connection.waitForEnd()
        }
        var request = HTTPClientRequest(url: server.url(), timeout: nil)
        request.idleTimeout = .milliseconds(200)
        let stream = try await HTTPClient().stream(request)

        let piece = try await stream.next()

        #expect(piece == Array("first".utf8))
        await #expect(throws: HTTPClientError.timedOut(mayHaveArrived: true)) { try await stream.next() }
    }

    @Test("Cancelling the task aborts the transfer")
    func cancels() async throws {
        let (ended, end) = AsyncStream<Void>.makeStream()
        let (arrived, arrive) = AsyncStream<Void>.makeStream()
        let server = try ScriptedServer { connection in
            _ = connection.readRequest()
            arrive.yield()
            connection.waitForEnd()
            end.finish()
        }
        let client = HTTPClient()
        let url = server.url()
        let task = Task { try await client.send(HTTPClientRequest(url: url)) }
        for await _ in arrived { break }

        task.cancel()

        await #expect(throws: CancellationError.self) { try await task.value }
        for await _ in ended {}
    }

    @Test("Dropping a stream ends its connection")
    func dropsStream() async throws {
        let (ended, end) = AsyncStream<Void>.makeStream()
        let server = try ScriptedServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            connection.waitForEnd()
            end.finish()
        }
        let client = HTTPClient()
        let url = server.url()

        func openAndDrop() async throws -> HTTPStatus {
            try await client.stream(HTTPClientRequest(url: url)).status
        }
        let status = try await openAndDrop()

        #expect(status == .ok)
        for await _ in ended {}
    }

    @Test("A running stream outlives its client")
    func outlivesClient() async throws {
        let server = try ScriptedServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
            for _ in 0..<10 { connection.send("0123456789") }
        }

        let stream = try await HTTPClient().stream(HTTPClientRequest(url: server.url()))
        let body = try await stream.collect(bytesMaximum: 1000)

        #expect(body.count == 100)
    }

    @Test("A slow reader slows the sender down instead of filling memory")
    func pressesBack() async throws {
        let total = 48 << 20
        let sent = Atomic<Int>(0)
        let server = try ScriptedServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(total)\r\n\r\n")
            let block = [UInt8](repeating: 7, count: 1 << 20)
            while sent.load(ordering: .relaxed) < total, connection.send(block) {
                sent.wrappingAdd(block.count, ordering: .sequentiallyConsistent)
            }
            connection.waitForEnd()
        }
        let stream = try await HTTPClient().stream(HTTPClientRequest(url: server.url(), timeout: nil))

        var received = try await stream.next()?.count ?? 0
        let ahead = try await settled { sent.load(ordering: .sequentiallyConsistent) }
        while let piece = try await stream.next() { received += piece.count }

        // Our buffer, libcurl's and the kernel's socket buffers together stay far below what the server wants to send.
        #expect(ahead < 24 << 20)
        #expect(received == total)
    }

    /// Reads a growing number until it has not changed for a while.
    private func settled(_ value: () -> Int) async throws -> Int {
        let clock = ContinuousClock()
        var last = value()
        var lastChange = clock.now
        while lastChange.duration(to: clock.now) < .milliseconds(200) {
            try await clock.sleep(for: .milliseconds(5))
            if case let new = value(), new != last {
                last = new
                lastChange = clock.now
            }
        }
        return last
    }
}
