import Glibc
import Synchronization
import Threads

/// A TCP client that sends exactly the bytes it is told to, for what no real client would send.
///
/// It blocks on threads of its own, never on those that tests and handlers share: hundreds of clients wait at once, and
/// a pool of threads runs out when each of them has one.
package final class RawClient: @unchecked Sendable {
    // SAFETY: `isOpen` is touched by whoever has the `turn` only; the descriptor never changes.

    package enum Failure: Error {
        case connect(Int32)
        case send(Int32)
        case thread(Int32)
        case timedOut
    }

    /// How long anything may take before a test fails.
    ///
    /// Whoever is waited for may wait for a turn among all tests of the process, several times.
    static let patienceSeconds = 300

    private let descriptor: Int32
    /// Held while the connection is used: one after the other.
    private let turn = Mutex<Void>(())
    private let progress = Atomic<Int>(0)
    private var isOpen = true

    /// Bytes that a `send(_:total:)` under way has got rid of.
    package var sentBytes: Int { progress.load(ordering: .relaxed) }

    package init(port: UInt16, receiveBufferBytes: Int32? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        if var size = receiveBufferBytes {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        Self.limitWaits(of: descriptor)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            let code = errno
            Glibc.close(descriptor)
            isOpen = false
            throw Failure.connect(code)
        }
    }

    /// Takes over a connection that a `RawServer` accepted.
    package init(descriptor: Int32) {
        self.descriptor = descriptor
        Self.limitWaits(of: descriptor)
    }

    private static func limitWaits(of descriptor: Int32) {
        var timeout = timeval(tv_sec: patienceSeconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit {
        if isOpen {
            Glibc.close(descriptor)
        }
    }

    /// The same connection with turns of its own: one sends while the other receives.
    package func twin() -> RawClient {
        RawClient(descriptor: dup(descriptor))
    }

    package func close() async {
        _ = try? await run { client in
            guard client.isOpen else { return }
            client.isOpen = false
            Glibc.close(client.descriptor)
        }
    }

    package func endSending() {
        shutdown(descriptor, 1)
    }

    package func send(_ text: String) async throws {
        try await send(Array(text.utf8))
    }

    package func send(_ bytes: [UInt8]) async throws {
        try await run { client in
            var sent = 0
            while sent < bytes.count {
                let count = bytes[sent...].withUnsafeBytes {
                    Glibc.send(client.descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { throw Failure.send(errno) }
                sent += count
            }
        }
    }

    /// Sends `block` so often that `total` bytes are sent, and returns how many were before the connection broke.
    package func send(_ block: [UInt8], total: Int) async throws -> Int {
        try await run { client in
            var sent = 0
            while sent < total {
                let count = block.withUnsafeBytes {
                    Glibc.send(client.descriptor, $0.baseAddress, min($0.count, total - sent), Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { break }
                sent += count
                client.progress.store(sent, ordering: .relaxed)
            }
            return sent
        }
    }

    /// Receives and forgets `total` bytes, or up to the end, and returns how many there were.
    package func discard(total: Int) async throws -> Int {
        try await run { client in
            var buffer = [UInt8](repeating: 0, count: 1 << 18)
            var received = 0
            while received < total {
                let count = recv(client.descriptor, &buffer, min(buffer.count, total - received), 0)
                guard count > 0 else { break }
                received += count
            }
            return received
        }
    }

    /// Closes so that the other side sees a reset.
    package func reset() async {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        await close()
    }

    /// Receives once; empty at the end or when the connection was reset.
    package func receive(maximumBytes: Int = 65536) async throws -> [UInt8] {
        try await run { client in
            var buffer = [UInt8](repeating: 0, count: maximumBytes)
            let count = recv(client.descriptor, &buffer, buffer.count, 0)
            if count < 0, errno == EAGAIN {
                throw Failure.timedOut
            }
            return Array(buffer.prefix(max(0, count)))
        }
    }

    /// Receives until the text holds `mark`, or the connection ends.
    package func receive(until mark: String) async throws -> String {
        var all: [UInt8] = []
        while !String(decoding: all, as: UTF8.self).contains(mark) {
            let more = try await receive()
            if more.isEmpty {
                break
            }
            all += more
        }
        return String(decoding: all, as: UTF8.self)
    }

    /// Receives up to the end of a head, byte by byte: what comes after it stays for the next one who receives.
    package func receiveHead() async throws -> String {
        try await run { client in
            var head: [UInt8] = []
            var byte: UInt8 = 0
            while !head.suffix(4).elementsEqual("\r\n\r\n".utf8) {
                let count = recv(client.descriptor, &byte, 1, 0)
                if count < 0, errno == EAGAIN {
                    throw Failure.timedOut
                }
                guard count == 1 else { break }
                head.append(byte)
            }
            return String(decoding: head, as: UTF8.self)
        }
    }

    /// Receives until the connection ends.
    package func receiveAll() async throws -> String {
        var all: [UInt8] = []
        while true {
            let more = try await receive()
            if more.isEmpty {
                return String(decoding: all, as: UTF8.self)
            }
            all += more
        }
    }

    private func run<Result: Sendable>(_ body: @escaping @Sendable (RawClient) throws -> Result) async throws -> Result
    {
        try await withCheckedThrowingContinuation { continuation in
            let code = DetachedThread.start { [self] in
                let outcome: Swift.Result<Result, any Error> = turn.withLock { _ in Swift.Result { try body(self) } }
                continuation.resume(with: outcome)
            }
            if code != 0 {
                continuation.resume(throwing: Failure.thread(code))
            }
        }
    }
}
