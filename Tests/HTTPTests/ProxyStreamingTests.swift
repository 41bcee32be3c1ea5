import Glibc
import RawSockets
import Synchronization
import Testing

@testable import HTTP

/// Much data through little memory; one after the other, since memory is the process's.
@Suite("Proxying streams", .serialized)
struct ProxyStreamingTests {
    /// What may be added to the process's memory while a gibibyte passes.
    ///
    /// A thousand other tests run beside, and theirs counts as well. What held the content would take
    /// half as much again, for the three quarters of it that are measured.
    private let growthMaximum = 512 << 20

    /// More than twice what kernels keep for two connections: 32 MiB to be read of each, and 4 MiB to be sent.
    static let total = 256 << 20

    private var residentBytes: Int {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 128)
        let count = fread(&buffer, 1, buffer.count, file)
        let fields = String(decoding: buffer.prefix(count), as: UTF8.self).split(separator: " ")
        return fields.count > 1 ? (Int(fields[1]) ?? 0) * 4096 : 0
    }

    @Test("A gibibyte is uploaded through flat memory")
    func upload() async throws {
        let total = 1 << 30
        let received = Atomic<Int>(0)
        let upstream = try RawServer { connection, _ in
            let head = try await connection.receive(until: "\r\n\r\n")
            let early = head.utf8.count - (head.split(separator: "\r\n\r\n").first?.utf8.count ?? 0) - 4
            let rest = try await connection.discard(total: total - early)
            received.store(early + rest, ordering: .relaxed)
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        }
        let proxy = try ProxyFixture(to: [upstream.port])
        let client = try RawClient(port: proxy.port)
        let block = [UInt8](repeating: 0x61, count: 1 << 20)

        try await client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \(total)\r\n\r\n")
        let first = try await client.send(block, total: total / 4)
        // By now the tests beside have what they take in the beginning.
        let before = residentBytes
        let sent = first + (try await client.send(block, total: total - total / 4))
        let answer = try await client.receive(until: "ok")
        let growth = residentBytes - before

        #expect(sent == total)
        #expect(answer.hasSuffix("ok"))
        #expect(received.load(ordering: .relaxed) == total)
        #expect(growth < growthMaximum, "\(growth >> 20) MiB more")
        await proxy.stop()
    }

    @Test("A client that does not read stops the upstream from sending", arguments: [true, false])
    func slowClient(isChunked: Bool) async throws {
        let total = Self.total
        let written = Atomic<Int>(0)
        let upstream = try RawServer { connection, _ in
            _ = try await connection.receive(until: "\r\n\r\n")
            let framing = isChunked ? "Transfer-Encoding: chunked" : "Content-Length: \(total)"
            try await connection.send("HTTP/1.1 200 OK\r\n\(framing)\r\n\r\n")
            let block = [UInt8](repeating: 0x62, count: 1 << 16)
            for _ in 0..<(total >> 16) {
                if isChunked {
                    try await connection.send("10000\r\n")
                }
                try await connection.send(block)
                if isChunked {
                    try await connection.send("\r\n")
                }
                written.add(block.count, ordering: .relaxed)
            }
            if isChunked {
                try await connection.send("0\r\n\r\n")
            }
        }
        let proxy = try ProxyFixture(to: [upstream.port])
        let client = try RawClient(port: proxy.port, receiveBufferBytes: 16 * 1024)

        try await client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        _ = try await client.receive(maximumBytes: 1)
        let last = await settled { written.load(ordering: .relaxed) }
        let rest = try await client.discard(total: .max)

        #expect(last < total / 2)
        #expect(rest > total)
        #expect(proxy.destination.outcomes.map(\.cause) == [.answered])
        await proxy.stop()
    }

    @Test("An upstream that does not read stops the client from sending")
    func slowServer() async throws {
        let total = Self.total
        let mayRead = AsyncStream<Void>.makeStream()
        let upstream = try RawServer { connection, _ in
            for await _ in mayRead.stream { break }
            _ = try await connection.receive(until: "\r\n\r\n")
            _ = try await connection.discard(total: total - (1 << 17))
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            _ = try await connection.receiveAll()
        }
        let proxy = try ProxyFixture(to: [upstream.port])
        let client = try RawClient(port: proxy.port)

        try await client.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: \(total)\r\n\r\n")
        async let sending = client.send([UInt8](repeating: 0x63, count: 1 << 20), total: total)
        #expect(await eventually { upstream.connections == 1 })
        let taken = await settled { client.sentBytes }
        mayRead.continuation.yield()
        let sent = try await sending

        #expect(taken < total / 2)
        #expect(sent == total)
        await proxy.stop()
    }

    @Test("A response is passed on as it comes")
    func drip() async throws {
        let next = AsyncStream<String>.makeStream()
        let upstream = try RawServer { connection, _ in
            _ = try await connection.receive(until: "\r\n\r\n")
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
            for await text in next.stream {
                try await connection.send(text)
            }
            await connection.close()
        }
        let proxy = try ProxyFixture(to: [upstream.port])
        let client = try RawClient(port: proxy.port)

        try await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        let head = try await client.receive(until: "\r\n\r\n")
        next.continuation.yield("data: 1\n\n")
        let first = try await client.receive(until: "1\n\n\r\n")
        next.continuation.yield("data: 2\n\n")
        let second = try await client.receive(until: "2\n\n\r\n")
        next.continuation.finish()
        let end = try await client.receive(until: "0\r\n\r\n")

        #expect(head.contains("Transfer-Encoding: chunked\r\n"))
        #expect(first == "9\r\ndata: 1\n\n\r\n")
        #expect(second == "9\r\ndata: 2\n\n\r\n")
        #expect(end == "0\r\n\r\n")
        await proxy.stop()
    }

    @Test("Draining lets a proxied call finish and accepts no further one")
    func drain() async throws {
        let mayAnswer = AsyncStream<Void>.makeStream()
        let upstream = try RawServer { connection, _ in
            _ = try await connection.receive(until: "\r\n\r\n")
            for await _ in mayAnswer.stream { break }
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        }
        let proxy = try ProxyFixture(to: [upstream.port])
        let client = try RawClient(port: proxy.port)

        try await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(await eventually { upstream.connections == 1 })
        async let stopping: Void = proxy.server.shutdown(grace: .seconds(600))
        #expect(
            await eventually {
                do {
                    _ = try RawClient(port: proxy.port)
                    return false
                } catch {
                    return true
                }
            })
        mayAnswer.continuation.yield()
        let answer = try await client.receiveAll()
        await stopping

        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(answer.contains("Connection: close\r\n") && answer.hasSuffix("ok"))
    }
}
