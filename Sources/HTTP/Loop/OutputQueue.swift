/// Bytes that wait to be sent, first in first out; empty, it holds no memory.
struct OutputQueue {
    private var bytes: [UInt8] = []
    private var start = 0

    /// How many bytes wait.
    var count: Int { bytes.count - start }

    /// Whether nothing waits.
    var isEmpty: Bool { start == bytes.count }

    /// Adds `more` at the end.
    mutating func append(_ more: Span<UInt8>) {
        // Sent bytes at the front are dropped once they are the larger part, so each byte moves at most once or so.
        if start > 4096, start > count {
            bytes.removeSubrange(0..<start)
            start = 0
        }
        more.withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
    }

    /// Removes `sent` bytes from the front.
    mutating func removeFirst(_ sent: Int) {
        start += sent
        precondition(start <= bytes.count, "More bytes were sent than waited")
        if start == bytes.count {
            bytes = []
            start = 0
        }
    }

    /// Removes and returns everything.
    mutating func takeAll() -> [UInt8] {
        defer {
            bytes = []
            start = 0
        }
        return start == 0 ? bytes : Array(bytes[start...])
    }

    /// Lends the waiting bytes.
    func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[start...])) }
    }
}
