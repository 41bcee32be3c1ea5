import Cryptography
import HTTP
import JSON
import RawSockets
import Testing

@testable import BuildService

@Suite("Bad requests to the Function Builder API", .timeLimit(.minutes(10)))
struct BadRequestTests {
    /// A request that is signed well, what is answered, and a word of the reason.
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let status: HTTPStatus
        let reason: String
        let make: @Sendable () -> [UInt8]

        var testDescription: String { name }

        init(_ name: String, _ status: HTTPStatus, _ reason: String, _ make: @escaping @Sendable () -> [UInt8]) {
            self.name = name
            self.status = status
            self.reason = reason
            self.make = make
        }

        /// A good request with something more in it.
        init(
            _ name: String, _ status: HTTPStatus, _ reason: String,
            adding: @escaping @Sendable (inout RequestTar) -> Void
        ) {
            self.init(name, status, reason) {
                var tar = RequestTar.good()
                adding(&tar)
                return tar.bytes
            }
        }
    }

    static let cases = [
        Case("nothing at all", .badRequest, "not a whole tar") { [] },
        Case("no tar", .badRequest, "not a whole tar") { Array("hello".utf8) },
        Case("a tar cut inside of an entry", .badRequest, "tar") {
            var tar = RequestTar.good()
            tar.file("context/big", [UInt8](repeating: 1, count: 100_000))
            return Array(tar.bytes.prefix(60_000))
        },
        Case("a tar cut between two entries", .badRequest, "no end") { RequestTar.good().body },
        Case("a path that leads up", .badRequest, "..") { $0.file("context/../../etc/passwd", "x") },
        Case("an absolute path", .badRequest, "absolute") { $0.file("/etc/passwd", "x") },
        Case("a link out of the archive", .badRequest, "link") { $0.entry("context/l", "2", link: "../../etc") },
        Case("a link out of the context", .badRequest, "leads out of context/") {
            $0.entry("context/l", "2", link: "../com.openfaas.docker.config")
        },
        Case("an absolute link", .badRequest, "link") { $0.entry("context/l", "2", link: "/etc/passwd") },
        Case("a hard link", .badRequest, "hard link") { $0.entry("context/l", "1", link: "context/Dockerfile") },
        Case("a character device", .badRequest, "neither file") { $0.entry("context/null", "3") },
        Case("a block device", .badRequest, "neither file") { $0.entry("context/sda", "4") },
        Case("a pipe", .badRequest, "neither file") { $0.entry("context/pipe", "6") },
        Case("a file behind a link", .badRequest, "inside of what is no directory") {
            $0.entry("context/l", "2", link: "x")
            $0.file("context/l/x", "x")
        },
        Case("two configurations", .badRequest, "twice") { $0.configuration(#"{"image":"a/b:2"}"#) },
        Case("more entries than allowed", .contentTooLarge, "entries") { tar in
            for number in 0..<20_001 { tar.entry("context/\(number)", "0") }
        },
        Case("no configuration", .badRequest, "com.openfaas.docker.config") {
            var tar = RequestTar()
            tar.file("context/Dockerfile", "FROM scratch\n")
            return tar.bytes
        },
        Case("a configuration that is a folder", .badRequest, "must be a file") {
            var tar = RequestTar()
            tar.directory("com.openfaas.docker.config")
            return tar.bytes
        },
        Case("a configuration of the wrong type", .badRequest, "image must be a string") {
            var tar = RequestTar()
            tar.configuration(#"{"image":{"name":"x"}}"#)
            tar.file("context/Dockerfile", "FROM scratch\n")
            return tar.bytes
        },
        Case("a configuration that is no JSON", .badRequest, "is not JSON") {
            var tar = RequestTar()
            tar.configuration("image: a/b:1\n")
            tar.file("context/Dockerfile", "FROM scratch\n")
            return tar.bytes
        },
        Case("build arguments of the wrong type", .badRequest, "buildArgs must be an object") {
            var tar = RequestTar()
            tar.configuration(#"{"image":"a/b:1","buildArgs":["A=1"]}"#)
            tar.file("context/Dockerfile", "FROM scratch\n")
            return tar.bytes
        },
        Case("an unknown platform", .badRequest, "plan9/mips") {
            var tar = RequestTar()
            tar.configuration(#"{"image":"a/b:1","platforms":["plan9/mips"]}"#)
            tar.file("context/Dockerfile", "FROM scratch\n")
            return tar.bytes
        },
        Case("no Dockerfile", .badRequest, "context/Dockerfile") {
            var tar = RequestTar()
            tar.configuration(#"{"image":"a/b:1"}"#)
            tar.directory("context")
            return tar.bytes
        },
        Case("a .dockerignore that cannot be read", .badRequest, ".dockerignore") {
            $0.file("context/.dockerignore", "[a\n")
        },
        Case("sealed secrets without a key", .badRequest, "no key") {
            $0.file("com.openfaas.secrets", "version: v1\n")
        },
        Case("more than a request may have", .contentTooLarge, "larger than") {
            RequestTar.good().body + [UInt8](repeating: 0, count: 33 << 20)
        },
    ]

    @Test("get the right status and a reason, and leave nothing on the disk", arguments: cases)
    func refused(one: Case) async throws {
        try await BuildDeskUnderTest.with { desk in
            let body = one.make()

            let whole = try await desk.post(body)
            let stream = try await desk.post(body, streams: true)

            let answer = try JSONReader().parse(whole.body)
            #expect(whole.status == one.status)
            #expect(answer["status"] == "failed")
            #expect(answer["error"]?.stringValue?.contains(one.reason) == true, "\(answer)")
            #expect(answer["log"]?.arrayValue?.last == answer["error"])
            // Clients that stream show nothing of another status; what is too large is refused before it is signed.
            if stream.status == .ok {
                let lines = try desk.lines(stream)
                #expect(lines.count == 1 && lines.last?["status"] == "failed")
                #expect(lines.last?["error"] == answer["error"])
            } else {
                #expect(stream.status == one.status)
            }
            #expect(await eventually { desk.folder.names(in: "artifacts").isEmpty })
            #expect(try await desk.jobs().isEmpty)
        }
    }

    @Test(
        "are refused without the right signature, whatever they hold",
        arguments: [
            "", "sha256=", "sha1=0123456789012345678901234567890123456789",
            "sha256=" + String(repeating: "0", count: 64),
            "sha256=" + String(repeating: "g", count: 64), "SHA256=" + String(repeating: "0", count: 64), "nonsense",
        ])
    func unsigned(signature: String) async throws {
        try await BuildDeskUnderTest.with { desk in
            let response = try await desk.post(RequestTar.good(), streams: true, signature: signature)

            #expect(response.status == .unauthorized)
            #expect(try JSONReader().parse(response.body)["status"] == "failed")
            #expect(await eventually { desk.folder.names(in: "artifacts").isEmpty })
        }
    }

    @Test("are refused by their length alone, before three gigabytes are sent")
    func announced() async throws {
        try await BuildDeskUnderTest.with { desk in
            let client = try RawClient(port: desk.port)
            let signature = desk.sign([])
            try await client.send(
                "POST /build HTTP/1.1\r\nHost: b\r\nX-Build-Signature: \(signature)\r\n"
                    + "Content-Length: 3221225472\r\nExpect: 100-continue\r\n\r\n")

            let head = try await client.receive(until: "\r\n\r\n")

            #expect(head.hasPrefix("HTTP/1.1 413"), "\(head)")
            #expect(await eventually { desk.folder.names(in: "artifacts").isEmpty })
            await client.close()
        }
    }

    @Test("without a length are refused as soon as they have become too large, before three gigabytes are sent")
    func chunked() async throws {
        try await BuildDeskUnderTest.with { desk in
            let client = try RawClient(port: desk.port)
            try await client.send(
                "POST /build HTTP/1.1\r\nHost: b\r\nX-Build-Signature: \(desk.sign([]))\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n")
            func chunk(_ count: Int) -> [UInt8] {
                Array("\(String(count, radix: 16))\r\n".utf8) + [UInt8](repeating: 7, count: count) + Array("\r\n".utf8)
            }

            for _ in 0..<32 { try await client.send(chunk(1 << 20)) }
            // What makes it too large goes out in one: who sends on after the answer could lose it to a reset.
            try await client.send(chunk(128 << 10))
            let head = try await client.receive(until: "\r\n\r\n")

            #expect(head.hasPrefix("HTTP/1.1 413"), "\(head)")
            #expect(await eventually { desk.folder.names(in: "artifacts").isEmpty })
            await client.close()
        }
    }

    @Test("that nobody has signed yet have little of the disk, all together")
    func room() async throws {
        let bytesMaximum = 256 << 10
        try await BuildDeskUnderTest.with({ $0.bodyBytesMaximum = bytesMaximum }) { desk in
            let head =
                "POST /build HTTP/1.1\r\nHost: b\r\nX-Build-Signature: \(desk.sign([]))\r\n"
                + "Content-Length: \(bytesMaximum)\r\n\r\n"
            // The last byte never comes, and half of what came before is on the disk at least: sixteen fill the room.
            let body = Array(head.utf8) + [UInt8](repeating: 7, count: bytesMaximum - 1)
            let clients = try (0..<24).map { _ in try RawClient(port: desk.port) }

            let refused = await withTaskGroup { group in
                for client in clients {
                    group.addTask {
                        // Who is refused may be told so before all was sent.
                        try? await client.send(body)
                        return try? await client.receive(until: "\r\n\r\n")
                    }
                }
                let first = await group.first { $0?.isEmpty == false } ?? nil
                #expect(desk.uploadedBytes <= 8 * bytesMaximum)
                for client in clients { client.endSending() }
                await group.waitForAll()
                for client in clients { await client.close() }
                return first
            }
            #expect(await eventually { desk.folder.names(in: "artifacts").isEmpty })
            let good = Task { try await desk.post(RequestTar.good()) }
            try await desk.finish(try await desk.job(1))

            #expect(refused?.hasPrefix("HTTP/1.1 429") == true, "\(refused ?? "")")
            #expect(try await good.value.status == .ok)
        }
    }

    @Test("that break off leave nothing behind")
    func brokenOff() async throws {
        try await BuildDeskUnderTest.with { desk in
            let body = RequestTar.good().bytes
            let client = try RawClient(port: desk.port)
            try await client.send(
                "POST /build HTTP/1.1\r\nHost: b\r\nX-Build-Signature: \(desk.sign(body))\r\n"
                    + "Content-Length: \(body.count)\r\n\r\n")
            try await client.send(Array(body.prefix(1000)))
            #expect(await eventually { !desk.folder.names(in: "artifacts").isEmpty })

            await client.reset()

            #expect(await eventually { desk.folder.names(in: "artifacts").isEmpty })
            #expect(try await desk.jobs().isEmpty)
        }
    }

    @Test(
        "to other paths and with other verbs are told so",
        arguments: [
            (HTTPMethod.get, "/build", 405), (.put, "/", 405), (.post, "/healthz", 405), (.post, "/ready", 405),
            (.post, "/builds", 404), (.get, "/build/x", 404),
            (.post, "/build/" + String(repeating: "0", count: 32), 405),
        ] as [(HTTPMethod, String, Int)])
    func paths(method: HTTPMethod, path: String, status: Int) async throws {
        try await BuildDeskUnderTest.with { desk in
            let response = try await HTTPClient().send(
                HTTPClientRequest(method, url: "http://127.0.0.1:\(desk.port)\(path)", body: .none))

            #expect(Int(response.status.code) == status)
        }
    }
}
