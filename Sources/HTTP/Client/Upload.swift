import CCurl
import Glibc

/// Where the body of a request comes from.
///
/// Used on the thread of its loop only.
struct Upload: ~Copyable {
    private enum Source {
        case bytes([UInt8])
        case file(Int32)
    }

    private let source: Source
    private var position = 0
    /// The length of the whole body.
    let count: Int
    /// Whether the request may be sent a second time when a reused connection turns out dead.
    let isRewindable: Bool

    /// Opens the body of a request; `nil` for a request without one.
    ///
    /// - Throws: `.invalidRequest` when the file cannot be read or is no regular file.
    init?(_ request: HTTPClientRequest) throws(HTTPClientError) {
        isRewindable = request.method.isIdempotent
        switch request.body {
        case .none:
            guard [.post, .put, .patch].contains(request.method) else { return nil }
            source = .bytes([])
            count = 0
        case .bytes(let bytes):
            source = .bytes(bytes)
            count = bytes.count
        case .file(let path):
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else {
                throw .invalidRequest(reason: "\(path): \(String(cString: strerror(errno)))")
            }
            var status = stat()
            guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                close(descriptor)
                throw .invalidRequest(reason: "\(path) is no regular file")
            }
            source = .file(descriptor)
            count = Int(status.st_size)
        }
    }

    deinit {
        if case .file(let descriptor) = source { close(descriptor) }
    }

    /// Fills a buffer with what comes next.
    ///
    /// - Returns: How many bytes were filled in, 0 at the end, or `nil` when the file cannot be read or got shorter.
    mutating func read(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
        let wanted = min(buffer.count, count - position)
        guard wanted > 0 else { return 0 }
        switch source {
        case .bytes(let bytes):
            bytes.withUnsafeBytes {
                buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[position...].prefix(wanted)))
            }
            position += wanted
            return wanted
        case .file(let descriptor):
            let filled = pread(descriptor, buffer.baseAddress, wanted, position)
            guard filled > 0 else { return nil }
            position += filled
            return filled
        }
    }

    /// Goes back to the begin, where that cannot make the server act twice.
    mutating func rewind(to offset: Int) -> Bool {
        guard isRewindable || position == 0, offset >= 0, offset <= count else { return false }
        position = offset
        return true
    }
}
