import Glibc
import Synchronization

/// A server on a loopback port whose every byte is decided by the test: for what a proper server never does.
///
/// Each connection runs on a thread of its own and is closed when the script returns.
final class ScriptedServer: Sendable {
    /// The port on 127.0.0.1.
    let port: UInt16
    private let descriptor: Int32
    private let accepted = Atomic<Int>(0)

    /// How many connections were accepted so far.
    var connectionCount: Int { accepted.load(ordering: .sequentiallyConsistent) }

    /// Starts a server that runs `script` for each connection.
    init(_ script: @escaping @Sendable (ScriptedConnection) -> Void) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, length) == 0 && listen(descriptor, 64) == 0
                    && getsockname(descriptor, pointer, &length) == 0
            }
        }
        guard bound else { throw ScriptedServerFailed() }
        port = UInt16(bigEndian: address.sin_port)
        Self.runOnThread { [self] in
            while case let connection = accept(descriptor, nil, nil), connection >= 0 {
                accepted.wrappingAdd(1, ordering: .sequentiallyConsistent)
                Self.runOnThread {
                    script(ScriptedConnection(descriptor: connection))
                    shutdown(connection, Int32(SHUT_RDWR))
                    close(connection)
                }
            }
        }
    }

    /// The URL of a path on this server.
    func url(_ path: String = "/") -> String { "http://127.0.0.1:\(port)\(path)" }

    /// Takes no more connections.
    func stop() {
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    private final class Work: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private static func runOnThread(_ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(Work(body)).toOpaque()
        pthread_create(
            &thread, nil,
            { context in
                if let context { Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body() }
                return nil
            }, context)
        pthread_detach(thread)
    }
}

struct ScriptedServerFailed: Error {}

/// One connection of a ``ScriptedServer``.
struct ScriptedConnection: Sendable {
    let descriptor: Int32

    /// Reads one request with its body (by Content-Length) and returns it as text; `nil` at the end of the connection.
    func readRequest() -> String? {
        var text: [UInt8] = []
        while !text.suffix(4).elementsEqual("\r\n\r\n".utf8) {
            guard let byte = readByte() else { return nil }
            text.append(byte)
        }
        let head = String(decoding: text, as: UTF8.self)
        let field = head.lowercased().split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
        let count = field.flatMap { Int($0.dropFirst("content-length:".count).filter { $0 != " " }) } ?? 0
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        var left = count
        while left > 0 {
            let received = recv(descriptor, &buffer, min(left, buffer.count), 0)
            guard received > 0 else { return nil }
            text.append(contentsOf: buffer[..<received])
            left -= received
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Waits until the client closes the connection or sends something.
    func waitForEnd() {
        _ = readByte()
    }

    /// Sends text; `false` when the client is gone.
    @discardableResult
    func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// Sends bytes; `false` when the client is gone.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(
                    descriptor, $0.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// Sends a whole response with a body of bytes.
    func respond(bytes: [UInt8], headers: String) {
        send("HTTP/1.1 200 OK\r\nContent-Length: \(bytes.count)\r\n\(headers)\r\n")
        send(bytes)
    }

    /// Sends a whole response with a length.
    func respond(_ body: String, status: String = "200 OK", headers: String = "") {
        send("HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)")
    }

    private func readByte() -> UInt8? {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, 0) == 1 ? byte : nil
    }
}
