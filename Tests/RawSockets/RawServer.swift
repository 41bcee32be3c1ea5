import Glibc
import Synchronization
import Threads

/// A server that gives each connection to a script, for what no real server can be made to do.
package final class RawServer: Sendable {
    package let port: UInt16
    private let descriptor: Int32
    private let counter = Atomic<Int>(0)

    /// Connections accepted so far.
    package var connections: Int { counter.load(ordering: .relaxed) }

    /// Listens on a port of the kernel's choice; `script` is given each connection and its number, from 1.
    package init(_ script: @escaping @Sendable (RawClient, Int) async throws -> Void) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, length) + listen(descriptor, 128) + getsockname(descriptor, pointer, &length)
            }
        }
        guard result == 0 else { throw RawClient.Failure.connect(errno) }
        port = UInt16(bigEndian: address.sin_port)
        // A thread of its own, which a pool that all servers and clients share would run out of.
        let code = DetachedThread.start { [weak self] in
            while true {
                let accepted = accept(descriptor, nil, nil)
                _ = fcntl(accepted, F_SETFD, FD_CLOEXEC)
                guard accepted >= 0, let number = self?.counter.add(1, ordering: .relaxed).newValue else {
                    // Only this thread closes the descriptor, so it never accepts for another server's number.
                    close(accepted)
                    close(descriptor)
                    return
                }
                let connection = RawClient(descriptor: accepted)
                Task { try await script(connection, number) }
            }
        }
        guard code == 0 else { throw RawClient.Failure.thread(code) }
    }

    deinit {
        shutdown(descriptor, 2)
    }
}

/// A port that refuses connections and that nobody else gets meanwhile: bound, but not listening.
package final class RefusingPort: Sendable {
    package let port: UInt16
    private let descriptor: Int32

    package init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, length) + getsockname(descriptor, pointer, &length)
            }
        }
        guard result == 0 else { throw RawClient.Failure.connect(errno) }
        port = UInt16(bigEndian: address.sin_port)
    }

    deinit {
        close(descriptor)
    }
}
