import Glibc
import RawSockets
import Synchronization
import Testing

@testable import HTTP

@Suite("Proxying when something fails")
struct ProxyFailureTests {
    private let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    static let retryCases: [(String, Bool)] = [("GET", true), ("PUT", true), ("POST", false), ("PATCH", false)]

    @Test("A kept connection that dies unheard is replaced once, if sending twice is harmless", arguments: retryCases)
    func staleConnection(method: String, isRepeated: Bool) async throws {
        let ok = ok
        let upstream = try RawServer { connection, number in
            _ = try await connection.receive(until: "\r\n\r\n")
            try await connection.send(ok)
            _ = try await connection.receive(until: "\r\n\r\n")
            if number == 1 {
                await connection.reset()
            } else {
                try await connection.send(ok)
            }
        }
        let proxy = try ProxyFixture(to: [upstream.port])
        let client = try RawClient(port: proxy.port)
        let request = "\(method) / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"

        try await client.send(request)
        let first = try await client.receive(until: "ok")
        try await client.send(request)
        let second = try await client.receive(until: isRepeated ? "ok" : "}")

        #expect(first.hasSuffix("ok"))
        #expect(second.hasPrefix(isRepeated ? "HTTP/1.1 200 " : "HTTP/1.1 502 "))
        #expect(upstream.connections == (isRepeated ? 2 : 1))
        // A request is over a moment after its last bytes are here.
        #expect(await eventually { proxy.destination.endpoints[0].inFlight == 0 })
        await proxy.stop()
    }

    static let safeCases: [(String, Bool)] = [
        ("GET", true), ("HEAD", true), ("OPTIONS", true), ("PUT", false), ("DELETE", false), ("POST", false),
    ]

    @Test("A new connection that ends unanswered is tried elsewhere, if the request is safe", arguments: safeCases)
    func silentEnd(method: String, isRepeated: Bool) async throws {
        let broken = try RawServer { connection, _ in
            _ = try await connection.receive(until: "\r\n\r\n")
            await connection.reset()
        }
        let ok = ok
        let upstream = try RawServer { connection, _ in
            _ = try await connection.receive(until: "\r\n\r\n")
            try await connection.send(ok)
        }
        let proxy = try ProxyFixture(to: [broken.port, upstream.port])
        let client = try RawClient(port: proxy.port)

        try await client.send("\(method) / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        let answer = try await client.receiveAll()

        #expect(answer.hasPrefix(isRepeated ? "HTTP/1.1 200 " : "HTTP/1.1 502 "))
        #expect(broken.connections == 1 && upstream.connections == (isRepeated ? 1 : 0))
        #expect(proxy.destination.endpoints.allSatisfy { $0.inFlight == 0 })
        await proxy.stop()
    }

    @Test("A safe request is sent twice at most")
    func silentEndAgain() async throws {
        let broken = try RawServer { connection, _ in
            _ = try await connection.receive(until: "\r\n\r\n")
            await connection.reset()
        }
        let proxy = try ProxyFixture(to: [broken.port])
        let client = try RawClient(port: proxy.port)

        try await client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        let answer = try await client.receiveAll()

        #expect(answer.hasPrefix("HTTP/1.1 502 "))
        #expect(broken.connections == 2)
        #expect(proxy.destination.outcomes.map(\.attempts) == [2])
        await proxy.stop()
    }

    @Test("A kept connection that was closed is noticed, and nothing is sent on it")
    func closedIdleConnection() async throws {
        let ok = ok
        let noticed = Atomic<Int>(0)
        let upstream = try RawServer { connection, _ in
            _ = try await connection.receive(until: "\r\n\r\na")
            try await connection.send(ok)
            connection.endSending()
            // The proxy closes its side when it has seen ours closed.
            _ = try await connection.receiveAll()
            noticed.add(1, ordering: .relaxed)
        }
        let proxy = try ProxyFixture(to: [upstream.port])
        let client = try RawClient(port: proxy.port)

        for round in 1...10 {
            try await client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na")
            let answer = try await client.receive(until: "ok")
            #expect(answer.hasPrefix("HTTP/1.1 200 "))
            #expect(await eventually { noticed.load(ordering: .relaxed) == round })
        }

        #expect(upstream.connections == 10)
        await proxy.stop()
    }

    @Test("When an address goes, its idle connections close at once, and a call under way is finished")
    func retiredAddress() async throws {
        let ok = ok
        let closed = Atomic<Int>(0)
        let isGone = Atomic<Bool>(false)
        let upstream = try RawServer { connection, _ in
            let head = try await connection.receive(until: "\r\n\r\n")
            if head.hasPrefix("GET /slow") {
                #expect(await eventually { isGone.load(ordering: .relaxed) })
            }
            try await connection.send(ok)
            _ = try await connection.receiveAll()
            closed.add(1, ordering: .relaxed)
        }
        let proxy = try ProxyFixture(to: [upstream.port])
        let slow = try RawClient(port: proxy.port)
        let quick = try RawClient(port: proxy.port)
        try await slow.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(await eventually { upstream.connections == 1 })
        try await quick.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        _ = try await quick.receive(until: "ok")

        proxy.destination.endpoints[0].retire()

        #expect(await eventually { closed.load(ordering: .relaxed) == 1 })
        isGone.store(true, ordering: .relaxed)
        #expect(try await slow.receive(until: "ok").hasPrefix("HTTP/1.1 200 "))
        #expect(await eventually { closed.load(ordering: .relaxed) == 2 })
        await proxy.stop()
    }

    @Test("An address that cannot be connected to is passed over, whatever the method")
    func connectFailure() async throws {
        let ok = ok
        let upstream = try RawServer { connection, _ in
            _ = try await connection.receive(until: "hello")
            try await connection.send(ok)
        }
        let refusing = try RefusingPort()
        let proxy = try ProxyFixture(to: [refusing.port, upstream.port])
        let client = try RawClient(port: proxy.port)

        try await client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
        let answer = try await client.receiveAll()

        #expect(answer.hasPrefix("HTTP/1.1 200 "))
        #expect(proxy.destination.outcomes.map(\.attempts) == [2])
        await proxy.stop()
    }

    @Test("A request that nobody can take waits, with all that comes of it, for an address that can be connected to")
    func waitForAnotherAddress() async throws {
        let ok = ok
        let upstream = try RawServer { connection, _ in
            _ = try await connection.receive(until: "hello")
            try await connection.send(ok)
        }
        let refusing = try RefusingPort()
        let proxy = try ProxyFixture(to: [refusing.port], unreachable: .seconds(600))
        let client = try RawClient(port: proxy.port)

        try await client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhe")
        #expect(await eventually { proxy.destination.choices > 6 })
        try await client.send("llo")
        #expect(await eventually { proxy.destination.choices > 12 })
        proxy.destination.replace(with: [upstream.port])
        let answer = try await client.receiveAll()

        #expect(answer.hasPrefix("HTTP/1.1 200 "))
        #expect(proxy.destination.outcomes.map(\.cause) == [.answered])
        await proxy.stop()
    }

    @Test("A client that leaves while its request waits ends it")
    func leftWhileWaiting() async throws {
        let refusing = try RefusingPort()
        let proxy = try ProxyFixture(to: [refusing.port], unreachable: .seconds(600))
        let client = try RawClient(port: proxy.port)

        try await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(await eventually { proxy.destination.choices > 3 })
        await client.reset()

        #expect(await eventually { proxy.destination.outcomes.map(\.cause) == [.clientLeft] })
        #expect(proxy.destination.endpoints.allSatisfy { $0.inFlight == 0 })
        await proxy.stop()
    }

    @Test("No address is 503 with Retry-After, none that can be reached 502")
    func nobody() async throws {
        let refusing = try RefusingPort()
        let empty = try ProxyFixture(to: [])
        let unreachable = try ProxyFixture(to: [refusing.port])
        let emptyClient = try RawClient(port: empty.port)
        let unreachableClient = try RawClient(port: unreachable.port)

        try await emptyClient.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        let unavailable = try await emptyClient.receive(until: "}")
        try await unreachableClient.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        let bad = try await unreachableClient.receive(until: "}")

        #expect(unavailable.hasPrefix("HTTP/1.1 503 ") && unavailable.contains("Retry-After: 1\r\n"))
        #expect(unavailable.contains("\"requestId\":"))
        #expect(bad.hasPrefix("HTTP/1.1 502 "))
        #expect(empty.destination.outcomes.map(\.cause) == [.noEndpoint])
        #expect(unreachable.destination.outcomes.map(\.cause) == [.connectFailed])
        #expect(unreachable.destination.outcomes.map(\.ejections) == [1])
        await empty.stop()
        await unreachable.stop()
    }

    @Test("An answer that began before the proxy leaves keeps its promise, and the next one ends the connection")
    func promiseKept() async throws {
        let ok = ok
        let isLeaving = Atomic<Bool>(false)
        let upstream = try RawServer { connection, _ in
            _ = try await connection.receive(until: "\r\n\r\n")
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha")
            #expect(await eventually { isLeaving.load(ordering: .relaxed) })
            try await connection.send("lf")
            _ = try await connection.receive(until: "\r\n\r\n")
            try await connection.send(ok)
        }
        let proxy = try ProxyFixture(to: [upstream.port])
        let client = try RawClient(port: proxy.port)

        try await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        let head = try await client.receive(until: "ha")
        proxy.server.leave()
        isLeaving.store(true, ordering: .relaxed)
        _ = try await client.receive(until: "lf")
        try await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        let last = try await client.receiveAll()

        #expect(!head.contains("Connection: close"))
        #expect(last.contains("Connection: close\r\n") && last.hasSuffix("ok"))
        await proxy.stop()
    }

    @Test("When each address has all the requests that it may have, the next one is 429 with Retry-After")
    func allBusy() async throws {
        let ok = ok
        let isAsked = Atomic<Bool>(false)
        let isRefused = Atomic<Bool>(false)
        let upstream = try RawServer { connection, _ in
            _ = try await connection.receive(until: "\r\n\r\n")
            isAsked.store(true, ordering: .relaxed)
            #expect(await eventually { isRefused.load(ordering: .relaxed) })
            try await connection.send(ok)
        }
        let proxy = try ProxyFixture(to: [upstream.port], inFlightPerEndpoint: 1)
        let first = try RawClient(port: proxy.port)
        let second = try RawClient(port: proxy.port)

        try await first.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(await eventually { isAsked.load(ordering: .relaxed) })
        try await second.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        let refused = try await second.receive(until: "}")
        isRefused.store(true, ordering: .relaxed)
        let answered = try await first.receive(until: "ok")

        #expect(refused.hasPrefix("HTTP/1.1 429 ") && refused.contains("Retry-After: 1\r\n"))
        #expect(answered.hasPrefix("HTTP/1.1 200 "))
        // A request is over a moment after its last bytes are here.
        #expect(await eventually { proxy.destination.outcomes.map(\.cause) == [.allBusy, .answered] })
        #expect(await eventually { proxy.destination.endpoints[0].inFlight == 0 })
        await proxy.stop()
    }

    @Test("An upstream that stays silent is 504, and its connection is closed")
    func silence() async throws {
        let isClosed = Atomic<Bool>(false)
        let upstream = try RawServer { connection, _ in
            _ = try await connection.receiveAll()
            isClosed.store(true, ordering: .relaxed)
        }
        let proxy = try ProxyFixture(to: [upstream.port], silence: .milliseconds(100))
        let client = try RawClient(port: proxy.port)

        try await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        let answer = try await client.receive(until: "}")

        #expect(answer.hasPrefix("HTTP/1.1 504 "))
        #expect(await eventually { isClosed.load(ordering: .relaxed) })
        #expect(proxy.destination.outcomes.map(\.cause) == [.timedOut])
        await proxy.stop()
    }

    @Test("A client that leaves takes its upstream connection with it")
    func clientLeaves() async throws {
        let isClosed = Atomic<Bool>(false)
        let hasBegun = Atomic<Bool>(false)
        let upstream = try RawServer { connection, _ in
            _ = try await connection.receive(until: "\r\n\r\n")
            try await connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
            hasBegun.store(true, ordering: .relaxed)
            _ = try await connection.receiveAll()
            isClosed.store(true, ordering: .relaxed)
        }
        let proxy = try ProxyFixture(to: [upstream.port])
        let client = try RawClient(port: proxy.port)

        try await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        _ = try await client.receive(until: "1\r\na\r\n")
        await client.reset()

        #expect(await eventually { isClosed.load(ordering: .relaxed) })
        #expect(await eventually { proxy.destination.outcomes.map(\.cause) == [.clientLeft] })
        #expect(await eventually { proxy.destination.endpoints[0].inFlight == 0 })
        await proxy.stop()
    }

    @Test("Clients that break off while much is on its way to them harm nobody else")
    func clientsBreakOff() async throws {
        let piece = String(repeating: "x", count: 256 * 1024)
        let upstream = try RawServer { connection, _ in
            _ = try await connection.receive(until: "\r\n\r\n")
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(64 * piece.utf8.count)\r\n\r\n")
            for _ in 0..<64 {
                try await connection.send(piece)
            }
        }
        let proxy = try ProxyFixture(to: [upstream.port])

        try await withThrowingTaskGroup { group in
            for _ in 0..<40 {
                group.addTask {
                    let client = try RawClient(port: proxy.port)
                    try await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                    for _ in 0..<8 {
                        _ = try await client.receive()
                    }
                    await client.reset()
                }
            }
            try await group.waitForAll()
        }

        #expect(await eventually { proxy.destination.outcomes.count { $0.cause == .clientLeft } == 40 })
        #expect(await eventually { proxy.destination.endpoints[0].inFlight == 0 })
        await proxy.stop()
    }

    @Test("Content that breaks off or is malformed ends the upstream's request")
    func brokenUpload() async throws {
        let received = Mutex<[String]>([])
        let upstream = try RawServer { connection, _ in
            let text = try await connection.receiveAll()
            received.withLock { $0.append(text) }
        }
        let proxy = try ProxyFixture(to: [upstream.port])
        let cut = try RawClient(port: proxy.port)
        let malformed = try RawClient(port: proxy.port)

        try await cut.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab")
        #expect(await eventually { upstream.connections == 1 })
        cut.endSending()
        let cutAnswer = try await cut.receiveAll()
        try await malformed.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        #expect(await eventually { upstream.connections == 2 })
        try await malformed.send("zz\r\n")
        let malformedAnswer = try await malformed.receiveAll()

        #expect(cutAnswer.isEmpty)
        #expect(malformedAnswer.hasPrefix("HTTP/1.1 400 "))
        #expect(await eventually { received.withLock { $0.count } == 2 })
        #expect(received.withLock { $0.allSatisfy { !$0.hasSuffix("0\r\n\r\n") } })
        #expect(await eventually { proxy.destination.outcomes.map(\.cause) == [.clientLeft, .clientLeft] })
        #expect(proxy.destination.outcomes.map(\.wasSent) == [true, true])
        await proxy.stop()
    }

    static let malformed: [String] = [
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET / HTTP/1.1\nHost: x\n\n", "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\na",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 1\r\n\r\na",
        "GET / HTTP/1.1\r\nHost: x\r\nA: b\u{0}c\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\nHost: x/y\r\n\r\n",
        "POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", "GET http://y/ HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /a/../b HTTP/1.1\r\nHost: x\r\n\r\n", "GET /%2e%2e/b HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /a\\b HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/2.0\r\nHost: x\r\n\r\n", "GET /\r\nHost: x\r\n\r\n",
        "GET /" + String(repeating: "a", count: 9000) + " HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nA: " + String(repeating: "a", count: 33_000) + "\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n" + String(repeating: "A: b\r\n", count: 101) + "\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nExpect: 200-ok\r\n\r\na",
        "GET / HTTP/1.1\r\nHost: x\r\nTransfer_Encoding\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\r\n\r\n",
    ]

    @Test("No malformed request reaches the upstream, nor does anything sent after it", arguments: malformed)
    func malformedRequests(request: String) async throws {
        let upstream = try RawServer { connection, _ in
            _ = try await connection.receiveAll()
        }
        let proxy = try ProxyFixture(to: [upstream.port])
        let client = try RawClient(port: proxy.port)

        try await client.send(request + "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
        let answer = try await client.receiveAll()

        let status = Int(answer.dropFirst(9).prefix(3))
        #expect(answer.isEmpty || status.map { (400..<500).contains($0) || $0 == 505 } ?? false)
        #expect(answer.components(of: "\r\nDate: ") <= 1)
        #expect(upstream.connections == 0)
        #expect(proxy.destination.outcomes.isEmpty)
        await proxy.stop()
    }

    @Test(
        "Malformed chunks end the request before the upstream sees a whole one",
        arguments: ["0x1\r\na\r\n", "1\na\r\n"])
    func malformedChunks(chunk: String) async throws {
        let received = Mutex("")
        let upstream = try RawServer { connection, _ in
            let text = try await connection.receiveAll()
            received.withLock { $0 = text }
        }
        let proxy = try ProxyFixture(to: [upstream.port])
        let client = try RawClient(port: proxy.port)

        try await client.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\(chunk)0\r\n\r\n")
        let answer = try await client.receiveAll()

        #expect(answer.hasPrefix("HTTP/1.1 400 "))
        #expect(!received.withLock { $0 }.contains("0\r\n\r\n"))
        await proxy.stop()
    }
}

extension String {
    /// How often `text` occurs.
    fileprivate func components(of text: String) -> Int {
        split(separator: text, omittingEmptySubsequences: false).count - 1
    }
}
