import Glibc
import Synchronization
import Testing
import Threads

/// A name server on loopback that answers each question, by UDP and by TCP, with what a test wants.
///
/// SAFETY: the descriptors are set once; the two threads only read them, and end when they are shut down.
final class NameServer: @unchecked Sendable {
    /// Makes the answer to a question; nil gives none.
    typealias Answer = @Sendable (_ id: [UInt8], _ isTCP: Bool) -> [UInt8]?

    let port: UInt16
    private let datagrams: Int32
    private let listener: Int32
    private let answer: Answer
    private let questions = Mutex(0)

    /// How often it was asked.
    var count: Int { questions.withLock { $0 } }

    init(_ answer: @escaping Answer) throws {
        self.answer = answer
        var open = Self.open()
        for _ in 0..<Self.triesMaximum where open == nil { open = Self.open() }
        (datagrams, listener, port) = try #require(open)
        // The threads hold the server until it is stopped.
        let codes = [
            DetachedThread.start { [self] in answerDatagrams() },
            DetachedThread.start { [self] in answerConnections() },
        ]
        try #require(codes == [0, 0])
    }

    /// The kernel chooses a port for datagrams, which somebody else may have for connections.
    private static let triesMaximum = 100

    /// Opens both sockets on one port; nil when the port is taken.
    private static func open() -> (datagrams: Int32, listener: Int32, port: UInt16)? {
        let datagrams = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if let port = bind(datagrams, to: 0), bind(listener, to: port) != nil, listen(listener, 4) == 0 {
            return (datagrams, listener, port)
        }
        close(datagrams)
        close(listener)
        return nil
    }

    func stop() {
        shutdown(datagrams, Int32(SHUT_RDWR))
        shutdown(listener, Int32(SHUT_RDWR))
    }

    deinit {
        close(datagrams)
        close(listener)
    }

    private static func bind(_ descriptor: Int32, to port: UInt16) -> UInt16? {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                Glibc.bind(descriptor, generic, length) == 0 && getsockname(descriptor, generic, &length) == 0
            }
        }
        return isBound ? UInt16(bigEndian: address.sin_port) : nil
    }

    private func answerDatagrams() {
        var buffer = [UInt8](repeating: 0, count: 2048)
        while true {
            var peer = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            withUnsafeMutablePointer(to: &peer) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                    let count = recvfrom(datagrams, &buffer, buffer.count, 0, generic, &length)
                    guard count > 2 else { return length = 0 }
                    questions.withLock { $0 += 1 }
                    guard let bytes = answer(Array(buffer.prefix(2)), false) else { return }
                    _ = sendto(datagrams, bytes, bytes.count, 0, generic, length)
                }
            }
            if length == 0 { return }
        }
    }

    private func answerConnections() {
        while case let connection = accept(listener, nil, nil), connection >= 0 {
            var buffer = [UInt8](repeating: 0, count: 4096)
            var rest = [UInt8](repeating: 0, count: 1024)
            var count = 0
            while count < 4, case let more = recv(connection, &rest, rest.count, 0), more > 0 {
                buffer.replaceSubrange(count..<count + more, with: rest.prefix(more))
                count += more
            }
            questions.withLock { $0 += 1 }
            if count >= 4, let bytes = answer(Array(buffer[2..<4]), true) {
                let framed = [UInt8(bytes.count >> 8), UInt8(bytes.count & 0xFF)] + bytes
                _ = send(connection, framed, framed.count, Int32(MSG_NOSIGNAL))
            }
            close(connection)
        }
    }
}
