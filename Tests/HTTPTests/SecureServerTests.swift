import HTTP
import OpenSSLTool
import RawSockets
import Synchronization
import TLS
import Testing

@Suite("HTTP over TLS", .timeLimit(.minutes(10)))
struct SecureServerTests {
    /// A certificate for this machine, made once: it costs a process.
    private static let pem = try? OpenSSLProgram.with { try $0.certificate(for: ["DNS:localhost", "IP:127.0.0.1"]) }

    /// A server on a port of the kernel's choice that answers with method, path and the content's length, and a client that
    /// trusts it.
    private struct Fixture {
        let server: HTTPServer
        let client: HTTPClient
        let port: UInt16
        let url: String

        init(
            router: (any RequestRouter)? = nil, http2: Bool = false,
            _ change: (inout HTTPServerConfiguration) -> Void = { _ in }
        ) throws {
            let (certificate, key) = try #require(SecureServerTests.pem)
            let identity = try CertificateIdentity(certificatePEM: certificate, keyPEM: key)
            var configuration = HTTPServerConfiguration()
            configuration.address = "127.0.0.1"
            configuration.timeouts = .patient
            configuration.secure = SecureListener(
                port: 0, context: try TLSContext(certificates: CertificateIndex([identity]), offersHTTP2: http2))
            change(&configuration)
            server = HTTPServer(
                configuration: configuration, router: router,
                handler: HTTPClosureHandler { request in
                    let content = (try? await request.body.collect(maximumBytes: 32 << 20)) ?? []
                    return HTTPResponse(
                        .ok, headers: HTTPHeaders([("X-Seen", "\(request.method) \(request.path) \(content.count)")]),
                        body: .bytes(content))
                })
            try server.start()
            port = try #require(server.securePort)
            url = "https://localhost:\(port)"
            client = HTTPClient(
                configuration: HTTPClientConfiguration(
                    tls: TLSIdentity(authorities: certificate), proxy: .none, offersHTTP2: http2,
                    connectionsPerHostMaximum: 1))
        }

        func stop() async {
            await server.shutdown(grace: .milliseconds(200))
        }
    }

    @Test(
        "Requests follow each other on one connection, with content larger than every buffer", arguments: [false, true])
    func largeContent(http2: Bool) async throws {
        let fixture = try Fixture(http2: http2)
        var content = [UInt8](repeating: 0, count: 5 << 20)
        for index in content.indices {
            content[index] = UInt8(truncatingIfNeeded: index &* 31)
        }

        let small = try await fixture.client.send(HTTPClientRequest(url: fixture.url + "/small"))
        let large = try await fixture.client.send(
            HTTPClientRequest(.post, url: fixture.url + "/large", body: .bytes(content)))

        #expect(small.headers["X-Seen"] == "GET /small 0")
        #expect(large.headers["X-Seen"] == "POST /large \(content.count)")
        #expect(large.body.elementsEqual(content))
        #expect(fixture.client.connectionsBegun == 1)
        await fixture.stop()
    }

    @Test("An upstream is told that the client came by TLS")
    func forwarded() async throws {
        let seen = Mutex("")
        let upstream = try RawServer { connection, _ in
            let head = try await connection.receive(until: "\r\n\r\n")
            seen.withLock { $0 = head }
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        }
        let fixture = try Fixture(router: ProxyEverything(destination: TestDestination(ports: [upstream.port])))

        let response = try await fixture.client.send(
            HTTPClientRequest(url: fixture.url + "/a", timeout: .seconds(600)))

        let head = seen.withLock { $0 }
        #expect(response.body == Array("ok".utf8))
        #expect(head.contains("X-Forwarded-Proto: https\r\n"))
        #expect(head.contains(";proto=https;"))
        await fixture.stop()
    }

    @Test("By HTTP/2 a hundred requests at once share one connection, and each has its own answer")
    func manyStreams() async throws {
        let fixture = try Fixture(http2: true)
        _ = try await fixture.client.send(HTTPClientRequest(url: fixture.url + "/first"))

        // libcurl 7.88 can leave a stream's last bytes where it read them, until something else comes.
        let ticking = Task { [client = fixture.client, url = fixture.url] in
            while !Task.isCancelled {
                _ = try? await client.send(HTTPClientRequest(url: url + "/tick"))
                // One now and then is enough.
                try? await Task.sleep(for: .milliseconds(50))
            }
        }
        defer { ticking.cancel() }
        let right = try await withThrowingTaskGroup(of: Bool.self) { group in
            for index in 0..<100 {
                group.addTask {
                    let content = [UInt8](repeating: UInt8(index), count: index * 1000)
                    let answer = try await fixture.client.send(
                        HTTPClientRequest(.put, url: fixture.url + "/\(index)", body: .bytes(content)))
                    return answer.body == content && answer.headers["X-Seen"] == "PUT /\(index) \(content.count)"
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }

        #expect(right == 100)
        #expect(fixture.client.connectionsBegun == 1)
        await fixture.stop()
    }

    @Test(
        "What is no handshake ends the connection, and others go on",
        arguments: ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\u{16}\u{3}\u{1}"])
    func nonsense(bytes: String) async throws {
        let fixture = try Fixture { $0.timeouts.handshake = .seconds(1) }
        let raw = try RawClient(port: fixture.port)

        try await raw.send(bytes)
        let answer = try await raw.receiveAll()
        var response: HTTPClientResponse?
        let deadline = ContinuousClock.now + .seconds(300)
        while response == nil, ContinuousClock.now < deadline {
            // On a busy machine a good handshake may take longer than the limit as well: then it is begun anew.
            response = try? await fixture.client.send(HTTPClientRequest(url: fixture.url + "/"))
        }

        #expect(!answer.contains("HTTP"))
        #expect(response?.status == .ok)
        await fixture.stop()
    }

    @Test("A client that does not go on with its handshake is not waited for")
    func stalledHandshake() async throws {
        let fixture = try Fixture { $0.timeouts.handshake = .milliseconds(300) }
        let raw = try RawClient(port: fixture.port)

        let answer = try await raw.receiveAll()

        #expect(answer.isEmpty)
        await fixture.stop()
    }

    @Test("Shutting down ends handshakes and idle connections at once")
    func shutdown() async throws {
        let fixture = try Fixture()
        let raw = try RawClient(port: fixture.port)
        _ = try await fixture.client.send(HTTPClientRequest(url: fixture.url + "/"))

        await fixture.server.shutdown(grace: .seconds(60))
        let rest = try await raw.receiveAll()

        #expect(rest.isEmpty)
        #expect(fixture.server.securePort == nil)
    }
}
