import RawSockets
import Testing

@testable import HTTP

/// Connections that have been upgraded.
@Suite("Proxying tunnels")
struct ProxyTunnelTests {
    private static let upgrade =
        "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n"

    /// Agrees to an upgrade, then does `talk`.
    private func upgrading(_ talk: @escaping @Sendable (RawClient) async throws -> Void) throws -> RawServer {
        try RawServer { connection, _ in
            _ = try await connection.receive(until: "\r\n\r\n")
            try await connection.send(
                "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\n"
                    + "Sec-WebSocket-Accept: x\r\n\r\n")
            try await talk(connection)
        }
    }

    private func open(to upstream: RawServer) async throws -> (ProxyFixture, RawClient) {
        let proxy = try ProxyFixture(to: [upstream.port])
        let client = try RawClient(port: proxy.port, receiveBufferBytes: 16 * 1024)
        try await client.send(Self.upgrade)
        // What comes after it is the test's.
        let head = try await client.receiveHead()
        try #require(head.hasSuffix("\r\n\r\n"))
        return (proxy, client)
    }

    @Test("Much that comes back passes whole and in order, while neither end takes all of it at once")
    func echo() async throws {
        let blocks = 256
        let upstream = try upgrading { connection in
            while case let bytes = try await connection.receive(), !bytes.isEmpty {
                try await connection.send(bytes)
            }
            connection.endSending()
        }
        let (proxy, client) = try await open(to: upstream)
        let sender = client.twin()

        async let sending: Void = {
            for number in 0..<blocks {
                // Of no size that fits into anything's buffer a whole number of times.
                try await sender.send([UInt8](repeating: UInt8(number), count: 65_537))
            }
            sender.endSending()
        }()
        var runs: [(byte: UInt8, count: Int)] = []
        while case let bytes = try await client.receive(), !bytes.isEmpty {
            for byte in bytes {
                if let last = runs.last, last.byte == byte {
                    runs[runs.count - 1].count += 1
                } else {
                    runs.append((byte, 1))
                }
            }
        }
        try await sending

        #expect(runs.map(\.byte) == (0..<blocks).map { UInt8($0) })
        #expect(runs.allSatisfy { $0.count == 65_537 })
        await proxy.stop()
    }

    @Test("What an end sends is all there, and one that does not read stops the other", arguments: [true, false])
    func slow(isClient: Bool) async throws {
        let total = ProxyStreamingTests.total
        let mayRead = AsyncStream<Void>.makeStream()
        let block = [UInt8](repeating: 0x64, count: 1 << 20)
        let upstream = try upgrading { connection in
            if isClient {
                _ = try await connection.send(block, total: total)
            } else {
                for await _ in mayRead.stream { break }
                _ = try await connection.discard(total: total)
            }
            await connection.close()
        }
        let (proxy, client) = try await open(to: upstream)

        if isClient {
            let rest = try await client.discard(total: .max)
            #expect(rest == total)
        } else {
            async let sending = client.send(block, total: total)
            let taken = await settled { client.sentBytes }
            mayRead.continuation.yield()
            #expect(try await sending == total)
            #expect(taken < total / 2)
        }
        await proxy.stop()
    }

    @Test("Last words pass though their end comes with them")
    func lastWords() async throws {
        let upstream = try upgrading { connection in
            _ = try await connection.receive(until: "bye")
            try await connection.send("farewell")
            await connection.close()
        }
        let (proxy, client) = try await open(to: upstream)

        try await client.send("bye")
        client.endSending()
        let answer = try await client.receiveAll()

        #expect(answer == "farewell")
        #expect(await eventually { proxy.destination.outcomes.count == 1 })
        await proxy.stop()
    }

    @Test("An upstream that is gone ends its client's tunnel, and a client that is gone the upstream's")
    func ends() async throws {
        let ended = AsyncStream<Bool>.makeStream()
        let upstream = try upgrading { connection in
            while case let bytes = try await connection.receive(), !bytes.isEmpty {
                try await connection.send(bytes)
            }
            ended.continuation.yield(true)
        }
        let (proxy, client) = try await open(to: upstream)
        try await client.send("there?")
        _ = try await client.receive(until: "there?")

        await client.close()
        var ends = ended.stream.makeAsyncIterator()

        #expect(await ends.next() == true)
        #expect(await eventually { proxy.destination.outcomes.count == 1 })
        await proxy.stop()
    }

    @Test("A WebSocket passes both ways, also what the client sent ahead")
    func webSocket() async throws {
        let upstream = try RawServer { connection, _ in
            let head = try await connection.receive(until: "\r\n\r\n")
            guard head.contains("Connection: Upgrade\r\nUpgrade: websocket\r\n") else { return }
            try await connection.send(
                "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\n"
                    + "Sec-WebSocket-Accept: x\r\n\r\nwelcome")
            while case let bytes = try await connection.receive(), !bytes.isEmpty {
                try await connection.send(bytes.reversed())
            }
        }
        let proxy = try ProxyFixture(to: [upstream.port])
        let client = try RawClient(port: proxy.port)

        try await client.send(
            "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
                + "Sec-WebSocket-Key: k\r\n\r\nabc")
        let opening = try await client.receive(until: "welcomecba")
        try await client.send("123")
        let echo = try await client.receive(until: "321")
        client.endSending()
        let rest = try await client.receiveAll()

        #expect(opening.hasPrefix("HTTP/1.1 101 Switching Protocols\r\n"))
        #expect(opening.contains("\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nwelcome"))
        #expect(opening.contains("Sec-WebSocket-Accept: x\r\n"))
        #expect(echo == "321" && rest.isEmpty)
        #expect(await eventually { proxy.destination.outcomes.count == 1 })
        await proxy.stop()
    }
}
