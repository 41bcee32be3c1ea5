import Glibc
import Synchronization

@testable import Builds

/// Ports of this machine's loopback interface.
enum Loopback {
    struct Failure: Error {
        let what: String
    }

    /// Ports that this process gave out: the server of one is listening only seconds later.
    private static let given = Mutex<Set<UInt16>>([])

    /// A port that was free a moment ago, and that no other test of this process gets.
    ///
    /// It lies below the range from which the kernel gives ports to outgoing connections, so that none of the many that
    /// tests make takes it meanwhile; also below the one from which Kubernetes gives ports of nodes.
    static func freePort() throws -> UInt16 {
        for _ in 0..<100 {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            guard descriptor >= 0 else { throw Failure(what: "socket: \(errno)") }
            defer { close(descriptor) }
            let port = UInt16.random(in: 20_000..<30_000)
            guard given.withLock({ $0.insert(port).inserted }) else { continue }
            var address = loopback(port)
            let isFree = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
            if isFree { return port }
        }
        throw Failure(what: "no port is free")
    }

    /// Returns as soon as something accepts connections; throws after three minutes.
    static func waitForListener(on port: UInt16) async throws {
        // On a thread of its own: the pool's threads are needed by what is waited for.
        guard try await BlockingThread.run({ isListening(on: port) }) else {
            throw Failure(what: "nothing listens on \(port)")
        }
    }

    private static func isListening(on port: UInt16) -> Bool {
        // A server in Python loads its libraries for long on a busy machine.
        let deadline = ContinuousClock.now + .seconds(180)
        while ContinuousClock.now < deadline {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            defer { close(descriptor) }
            var address = loopback(port)
            let code = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            if code == 0 { return true }
            poll(nil, 0, 20)
        }
        return false
    }

    /// A listener that accepts connections in its backlog and never answers.
    static func silentListener() throws -> (descriptor: Int32, port: UInt16) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = loopback(0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
            }
        }
        guard isListening, listen(descriptor, 8) == 0 else { throw Failure(what: "listen: \(errno)") }
        return (descriptor, UInt16(bigEndian: address.sin_port))
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        return address
    }
}
