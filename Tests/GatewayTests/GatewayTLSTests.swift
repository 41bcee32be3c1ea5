import Glibc
import OpenSSLTool
import RawSockets
import TLS
import Telemetry
import Testing

@testable import Gateway
@testable import HTTP

@Suite("TLS at the gateway", .timeLimit(.minutes(10)))
struct GatewayTLSTests {
    @Test("Certificates are read from a folder and its folders, again when they change, and kept when they break")
    func folder() throws {
        try OpenSSLProgram.with { openssl in
            let expiries = MetricsRegistry().gauge("expiries", "Of certificates.", labels: ["folder"])
            let folder = CertificateFolder(path: openssl.path("secrets"), expiries: expiries)
            func changed(at second: Int) -> CertificateIndex? {
                folder.changed(at: second).map { CertificateIndex($0) }
            }
            func put(_ pair: (certificate: [UInt8], key: [UInt8]), _ name: String) throws {
                mkdir(openssl.path("secrets"), 0o700)
                mkdir(openssl.path("secrets/" + name), 0o700)
                try openssl.write(pair.certificate, "secrets/\(name)/tls.crt")
                try openssl.write(pair.key, "secrets/\(name)/tls.key")
            }
            let first = try openssl.certificate(for: ["DNS:a.org"])
            let second = try openssl.certificate(for: ["DNS:b.org"])

            let none = changed(at: 1)
            try put(first, ".")
            try put(second, "b")
            try put(second, "..2026")
            let hidden = changed(at: 1)
            let both = changed(at: 2)
            let same = changed(at: 3)
            try put((Array("nonsense".utf8), second.key), "b")
            let broken = changed(at: 4)
            try put(try openssl.certificate(for: ["DNS:c.org"]), "b")
            let renewed = changed(at: 5)
            unlink(openssl.path("secrets/b/tls.key"))
            let removed = changed(at: 6)

            #expect(none == nil)
            #expect(hidden == nil)
            #expect(both?.identity(for: nil)?.names == ["a.org"])
            #expect(both?.identity(for: "b.org")?.names == ["b.org"])
            #expect(same == nil)
            #expect(broken?.identity(for: "b.org")?.names == ["b.org"])
            #expect(renewed?.identity(for: "c.org")?.names == ["c.org"])
            #expect(renewed?.identity(for: "b.org")?.names == ["a.org"])
            #expect(removed?.identity(for: "c.org")?.names == ["a.org"])
        }
    }

    @Test("Calls come by TLS, a new certificate is shown without a restart, and plain callers are sent on")
    func service() async throws {
        let upstream = try RawServer { connection, _ in
            while try await connection.receive(until: "\r\n\r\n").contains("\r\n\r\n") {
                try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
            }
        }
        let routes = try StaticRoutes(
            Array("routes:\n  - name: hello\n    endpoints: [\"127.0.0.1:\(upstream.port)\"]\n".utf8))
        let folder = try Folder()
        let old = try folder.renew()
        var configuration = GatewayConfiguration()
        configuration.address = "127.0.0.1"
        configuration.internalAddress = "127.0.0.1"
        configuration.port = 0
        configuration.internalPort = 0
        configuration.loops = 1
        configuration.drainDelay = .zero
        configuration.shutdownGrace = .milliseconds(200)
        // Longer than a busy machine keeps the upstream waiting.
        configuration.timeout = .seconds(600)
        var tls = GatewayTLS()
        tls.folder = folder.path
        tls.port = 0
        tls.redirects = true
        tls.publicPort = 8443
        configuration.tls = tls
        let service = try GatewayService(
            configuration: configuration, routes: .fixed(routes), registry: MetricsRegistry())
        let (told, tell) = AsyncStream<GatewayService.Ports>.makeStream()
        let running = Task {
            defer { tell.finish() }
            try await service.run { tell.yield($0) }
        }
        var iterator = told.makeAsyncIterator()
        let ports = try #require(await iterator.next())
        let port = try #require(ports.secureCallers)
        func call(trusting authority: [UInt8]) async -> String? {
            let client = HTTPClient(
                configuration: HTTPClientConfiguration(tls: TLSIdentity(authorities: authority), proxy: .none))
            let url = "https://localhost:\(port)/function/hello"
            let response = try? await client.send(HTTPClientRequest(url: url, timeout: .seconds(600)))
            return response.map { String(decoding: $0.body, as: UTF8.self) }
        }

        let byTLS = await call(trusting: old)
        let plainClient = try RawClient(port: ports.callers)
        try await plainClient.send("GET /function/hello?a HTTP/1.1\r\nHost: x.org:80\r\nConnection: close\r\n\r\n")
        let plain = try await plainClient.receiveAll()
        let new = try folder.renew()
        var renewed: String?
        // The folder is looked at once a second.
        let deadline = ContinuousClock.now.advanced(by: .seconds(300))
        while renewed == nil, ContinuousClock.now < deadline {
            renewed = await call(trusting: new)
        }

        #expect(byTLS == "hello")
        #expect(plain.hasPrefix("HTTP/1.1 308 Permanent Redirect\r\n"))
        #expect(plain.contains("\r\nLocation: https://x.org:8443/function/hello?a\r\n"))
        #expect(renewed == "hello")
        running.cancel()
        try await running.value
    }

    /// A folder with a certificate for this machine that can be replaced.
    private final class Folder {
        let path: String

        init() throws {
            // mkdtemp makes a folder that nobody else can name or read.
            var template = Array("/tmp/farebox-tls-XXXXXX".utf8CString)
            try #require(mkdtemp(&template) != nil)
            path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }

        deinit {
            for name in ["tls.crt", "tls.key"] {
                unlink(path + "/" + name)
            }
            rmdir(path)
        }

        /// Puts a new certificate there and returns it.
        func renew() throws -> [UInt8] {
            let pair = try OpenSSLProgram.with { try $0.certificate(for: ["DNS:localhost"]) }
            for (name, bytes) in [("tls.crt", pair.certificate), ("tls.key", pair.key)] {
                let file = try #require(fopen(path + "/" + name, "w"))
                fwrite(bytes, 1, bytes.count, file)
                fclose(file)
            }
            return pair.certificate
        }
    }

    @Test(
        "A plain call is sent to the same host and target by TLS",
        arguments: [
            ("x.org", "/a?b", 443, "https://x.org/a?b"), ("x.org:8080", "/", 443, "https://x.org/"),
            ("x.org:8080", "/a", 8443, "https://x.org:8443/a"), ("[::1]:80", "/", 443, "https://[::1]/"),
            ("[::1]", "/", 8443, "https://[::1]:8443/"), ("x", "http://x?q", 443, "https://x/?q"),
        ] as [(String, String, UInt16, String)])
    func redirect(host: String, target: String, port: UInt16, expected: String) throws {
        let bytes = Array("GET \(target) HTTP/1.1\r\nHost: \(host)\r\n\r\n".utf8)
        var head = RequestHead()
        try head.parse(bytes.span, end: bytes.count, limits: HeadLimits())

        let location = PlainRedirect(port: port).location(of: head, in: bytes.span)

        #expect(location == expected)
    }
}
