import Glibc
import HTTP
import JSON
import Synchronization

@testable import GitHosts

/// A Git host's API on loopback: it records what it is asked and answers what the test says.
final class ScriptedHost: Sendable {
    struct Exchange: Sendable {
        let method: String
        let target: String
        let headers: HTTPHeaders
        let body: JSONValue

        var line: String { method + " " + target }
    }

    typealias Script = @Sendable (Exchange, Int) -> HTTPResponse

    private let server: HTTPServer
    private let log: Log
    let url: String

    private final class Log: Sendable {
        let exchanges = Mutex<[Exchange]>([])
    }

    /// - Parameter script: Gets the request and how many came before it.
    init(_ script: @escaping Script) throws {
        let log = Log()
        var configuration = HTTPServerConfiguration()
        configuration.address = "127.0.0.1"
        server = HTTPServer(configuration: configuration) { request in
            let bytes = (try? await request.body.collect(maximumBytes: 1 << 20)) ?? []
            let exchange = Exchange(
                method: request.method.rawValue, target: request.target, headers: request.headers,
                body: (try? JSONReader().parse(bytes)) ?? .null)
            let count = log.exchanges.withLock { exchanges in
                exchanges.append(exchange)
                return exchanges.count - 1
            }
            return script(exchange, count)
        }
        self.log = log
        url = "http://127.0.0.1:\(try server.start())"
    }

    var exchanges: [Exchange] { log.exchanges.withLock { $0 } }
    var lines: [String] { exchanges.map(\.line) }

    func stop() async { await server.shutdown(grace: .zero) }

    /// Runs a host for as long as `body` takes.
    static func with(_ script: @escaping Script, _ body: (ScriptedHost) async throws -> Void) async throws {
        let host = try ScriptedHost(script)
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(host))
        } catch {
            result = .failure(error)
        }
        await host.stop()
        try result.get()
    }
}

extension GitHostExchange {
    /// Everything is allowed: the hosts of tests are on loopback, and may be slow where other tests run beside them.
    static var open: GitHostExchange {
        GitHostExchange(open: HTTPClient(), guarded: HTTPClient(), timeout: .seconds(60))
    }
}

/// Files beside the tests.
enum Vectors {
    struct Missing: Error {
        let path: String
    }

    static func load(_ name: String) throws -> JSONValue {
        let folder = "/" + #filePath.split(separator: "/").dropLast().joined(separator: "/")
        let path = folder + "/Vectors/" + name
        guard let file = fopen(path, "r") else { throw Missing(path: path) }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
        return try JSONReader().parse(bytes)
    }
}
