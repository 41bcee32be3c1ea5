import Glibc
import Payments

/// The way of the platform before: an HMAC, then `INCRBY` of a balance in Redis.
///
/// `pipeline=1` waits for each answer, as it did; more sends that many at once.
struct RedisBench {
    private let port: UInt16
    private let receipts: Int
    private let pipeline: Int

    init(_ options: inout DriverOptions) throws {
        port = UInt16(clamping: try options.number("port", default: 6379))
        receipts = try options.number("receipts", default: 100_000)
        pipeline = max(1, try options.number("pipeline", default: 1))
    }

    func run() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
        }
        guard descriptor >= 0, status == 0 else { throw DriverError("no Redis on port \(port)") }
        defer { close(descriptor) }
        let issuer = ReceiptIssuer()
        let work = issuer.receipts(receipts, streams: 1024, submitters: 1)[0]
        var (position, answers) = (0, [UInt8](repeating: 0, count: 65_536))
        let begun = Stopwatch()
        while position < work.count {
            let end = min(position + pipeline, work.count)
            var request = ""
            for receipt in work[position..<end] {
                let proof = try issuer.verify(receipt)
                let key = "balances|function-\(proof.nonce[0] % 100)"
                request += "*3\r\n$6\r\nINCRBY\r\n$\(key.utf8.count)\r\n\(key)\r\n$1\r\n1\r\n"
            }
            try exchange(descriptor, request, answers: end - position, &answers)
            position = end
        }
        begun.report(receipts)
    }

    private func exchange(
        _ descriptor: Int32, _ request: String, answers count: Int, _ buffer: inout [UInt8]
    ) throws {
        let bytes = Array(request.utf8)
        guard send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            throw DriverError("Redis takes no more")
        }
        var lines = 0
        while lines < count {
            let received = recv(descriptor, &buffer, buffer.count, 0)
            guard received > 0, buffer[0] != UInt8(ascii: "-") else { throw DriverError("Redis refused or went away") }
            lines += buffer[..<received].count { $0 == UInt8(ascii: "\n") }
        }
    }
}
