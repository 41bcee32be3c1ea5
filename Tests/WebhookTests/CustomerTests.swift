import FoundationEssentials
import HTTP
import JSON
import Synchronization
import Telemetry
import Testing

@testable import Webhook

@Suite("The list of customers")
struct CustomerTests {
    static func list(_ text: String) throws -> CustomerList { try CustomerList(Array(text.utf8)) }

    @Test("Names compare without regard to case; empty lines and remarks are skipped")
    func names() throws {
        let list = try Self.list("# ours\n  Alice \r\n\nocto-coders # the cats\n\tbob.b_1")

        #expect(["alice", "ALICE", "Octo-Coders", "bob.b_1"].allSatisfy { list.allows($0) })
        #expect(!["", "ali", "alice2", "cats", "octo", "*", "alice\n", " alice"].contains { list.allows($0) })
        #expect(list.count == 3)
    }

    @Test("An empty list is closed, and only a line * opens it")
    func closed() throws {
        #expect(!CustomerList.closed.allows("alice"))
        #expect(try !Self.list("").allows("alice"))
        #expect(try Self.list("alice\n*").allows("mallory"))
    }

    @Test(
        "What is no list is refused as a whole",
        arguments: [
            "alice\nno such page", "<html>", "alice;bob", "a*", "**", "alice\tbob", "café", "al\u{0}ice",
            String(repeating: "x", count: 256), String(repeating: "\n", count: CustomerList.bytesMaximum + 1),
        ])
    func refused(text: String) {
        #expect(throws: CustomerList.Refusal.self) { try Self.list(text) }
        #expect(throws: CustomerList.Refusal.self) { try CustomerList([0xFF, 0xFE]) }
    }

    @Test("Names of which one begins with the other and a hyphen are told")
    func confusable() throws {
        struct Vectors: Decodable {
            struct Vector: Decodable {
                let names: [String]
                let expect_valid: Bool
            }

            let customer_list: [Vector]
        }

        for vector in try JSONReader().decode(Vectors.self, from: Sample.vectors("misc")).customer_list {
            let list = try Self.list(vector.names.joined(separator: "\n"))
            #expect(list.confusable.isEmpty == vector.expect_valid, "\(vector.names)")
        }
    }

    // MARK: - Where it comes from

    static func serve(
        _ answer: @escaping @Sendable (HTTPRequest) -> HTTPResponse, _ body: (String) async throws -> Void
    ) async throws {
        var configuration = HTTPServerConfiguration()
        configuration.address = "127.0.0.1"
        let server = HTTPServer(configuration: configuration) { answer($0) }
        let port = try server.start()
        do {
            try await body("http://127.0.0.1:\(port)")
        } catch {
            await server.shutdown(grace: .zero)
            throw error
        }
        await server.shutdown(grace: .zero)
    }

    @Test("A page counts only with a status of success and as plain text")
    func page() async throws {
        let client = HTTPClient()
        try await Self.serve { request in
            switch request.path {
            case "/good": .text(.ok, "alice\n")
            case "/missing": .text(.notFound, "alice\n")
            case "/moved": HTTPResponse(.temporaryRedirect, headers: HTTPHeaders([("Location", "/good")]))
            case "/error": .text(.internalServerError, "alice\n")
            case "/html":
                HTTPResponse(
                    .ok, headers: HTTPHeaders([("Content-Type", "text/html")]), body: .bytes(Array("alice".utf8)))
            case "/untyped": HTTPResponse(.ok, body: .bytes(Array("alice".utf8)))
            case "/large": .text(.ok, String(repeating: "alice\n", count: CustomerList.bytesMaximum / 5))
            default: .text(.ok, "please sign in")
            }
        } _: { base in
            let good = try await CustomerPlace.url(base + "/good").read(client, timeout: .seconds(60))
            #expect(good.allows("Alice"))
            for path in ["/missing", "/moved", "/error", "/html", "/untyped", "/large", "/portal"] {
                await #expect(throws: CustomerSourceError.self, "\(path)") {
                    try await CustomerPlace.url(base + path).read(client, timeout: .seconds(60))
                }
            }
        }
        await #expect(throws: CustomerSourceError.self) {
            try await CustomerPlace.url("http://127.0.0.1:1/").read(client)
        }
    }

    @Test("A file that is not there is a closed list; one that is no list lets nobody in")
    func file() async throws {
        let path = "/tmp/farebox-customers-\(UInt64.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let place = CustomerPlace.file(path)
        let absent = try await place.read(HTTPClient())
        try Data("alice\n".utf8).write(to: URL(filePath: path))
        let present = try await place.read(HTTPClient())
        try Data("alice and bob\n".utf8).write(to: URL(filePath: path))

        #expect(absent == .closed)
        #expect(present.allows("alice"))
        await #expect(throws: CustomerSourceError.self) { try await place.read(HTTPClient()) }
    }

    // MARK: - How long it is remembered

    /// A list that is read from a variable, with a clock that a test moves.
    final class Clockwork: Sendable {
        let time = Mutex(ContinuousClock.now)
        let text = Mutex<String?>("alice")
        let reads = Mutex(0)

        func customers() -> RememberedCustomers {
            RememberedCustomers(
                lifetime: .seconds(300), logger: Logger(label: "test"), now: { self.time.withLock { $0 } }
            ) { () async throws(CustomerSourceError) in
                self.reads.withLock { $0 += 1 }
                guard let text = self.text.withLock({ $0 }), let list = try? CustomerList(Array(text.utf8)) else {
                    throw CustomerSourceError("away")
                }
                return list
            }
        }

        func pass(_ duration: Duration) { time.withLock { $0 += duration } }
    }

    @Test("It is read once in five minutes, however many ask")
    func remembered() async throws {
        let clockwork = Clockwork()
        let customers = clockwork.customers()
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<50 { group.addTask { try await customers.list().allows("alice") } }
            for try await isAllowed in group { #expect(isAllowed) }
        }
        clockwork.text.withLock { $0 = "bob" }
        clockwork.pass(.seconds(299))
        let before = try await customers.list()
        clockwork.pass(.seconds(2))

        let after = try await customers.list()

        #expect(before.allows("alice"))
        #expect(!after.allows("alice") && after.allows("bob"))
        #expect(clockwork.reads.withLock { $0 } == 2)
    }

    @Test("When it cannot be read any more nobody is let in, and it is tried again soon")
    func failsClosed() async throws {
        let clockwork = Clockwork()
        let customers = clockwork.customers()
        _ = try await customers.list()
        clockwork.text.withLock { $0 = nil }
        clockwork.pass(.seconds(301))
        await #expect(throws: CustomerSourceError.self) { try await customers.list() }
        await #expect(throws: CustomerSourceError.self) { try await customers.list() }
        clockwork.text.withLock { $0 = "alice" }
        clockwork.pass(.seconds(6))

        let list = try await customers.list()

        #expect(list.allows("alice"))
        #expect(clockwork.reads.withLock { $0 } == 3)
    }
}
