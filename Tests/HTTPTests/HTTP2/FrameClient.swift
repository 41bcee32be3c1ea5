import RawSockets

/// Speaks HTTP/2 frame by frame over a plain connection, for what no real client would send.
struct FrameClient {
    /// One frame as it came.
    struct Frame {
        let type: UInt8
        let flags: UInt8
        let stream: UInt32
        let payload: [UInt8]
    }

    static let data: UInt8 = 0
    static let headers: UInt8 = 1
    static let reset: UInt8 = 3
    static let settings: UInt8 = 4
    static let ping: UInt8 = 6
    static let goAway: UInt8 = 7
    static let windowUpdate: UInt8 = 8
    static let continuation: UInt8 = 9
    static let endStream: UInt8 = 1
    static let endHeaders: UInt8 = 4

    let raw: RawClient

    /// Connects and says the preface with empty settings.
    init(port: UInt16, receiveBufferBytes: Int32? = nil) async throws {
        raw = try RawClient(port: port, receiveBufferBytes: receiveBufferBytes)
        try await raw.send(Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + Self.frame(Self.settings))
    }

    static func frame(_ type: UInt8, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []) -> [UInt8] {
        let count = payload.count
        return [UInt8(count >> 16), UInt8(count >> 8 & 0xFF), UInt8(count & 0xFF), type, flags] + big(stream) + payload
    }

    static func big(_ number: UInt32) -> [UInt8] {
        [UInt8(number >> 24), UInt8(number >> 16 & 0xFF), UInt8(number >> 8 & 0xFF), UInt8(number & 0xFF)]
    }

    /// Fields as HPACK literals without indexing.
    static func block(_ fields: [(String, String)]) -> [UInt8] {
        fields.flatMap { name, value in
            [0x00] + text(name) + text(value)
        }
    }

    private static func text(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        guard bytes.count >= 127 else { return [UInt8(bytes.count)] + bytes }
        var rest = bytes.count - 127
        var length: [UInt8] = [127]
        while rest >= 128 {
            length.append(UInt8(rest & 127) | 128)
            rest >>= 7
        }
        return length + [UInt8(rest)] + bytes
    }

    /// The head of a request.
    static func request(
        _ stream: UInt32, _ method: String = "GET", path: String = "/", ends: Bool = true,
        fields more: [(String, String)] = []
    ) -> [UInt8] {
        let fields = [(":method", method), (":scheme", "http"), (":path", path), (":authority", "x")] + more
        return frame(headers, flags: endHeaders | (ends ? endStream : 0), stream: stream, block(fields))
    }

    func send(_ bytes: [UInt8]) async throws {
        try await raw.send(bytes)
    }

    /// Receives frames until `isEnough` or the connection's end.
    func frames(until isEnough: ([Frame]) -> Bool) async throws -> [Frame] {
        var bytes: [UInt8] = []
        var frames: [Frame] = []
        while !isEnough(frames) {
            let more = try await raw.receive()
            guard !more.isEmpty else { break }
            bytes += more
            while bytes.count >= 9 {
                let count = Int(bytes[0]) << 16 | Int(bytes[1]) << 8 | Int(bytes[2])
                guard bytes.count >= 9 + count else { break }
                let stream = bytes[5..<9].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
                frames.append(
                    Frame(type: bytes[3], flags: bytes[4], stream: stream, payload: Array(bytes[9..<(9 + count)])))
                bytes.removeFirst(9 + count)
            }
        }
        return frames
    }

    /// Receives until `stream` is over and returns its frames.
    func response(_ stream: UInt32) async throws -> [Frame] {
        func isEnd(_ frame: Frame) -> Bool {
            guard frame.stream == stream else { return frame.type == Self.goAway }
            return frame.type == Self.reset || (frame.type <= Self.headers && frame.flags & Self.endStream != 0)
        }
        return try await frames { $0.contains(where: isEnd) }.filter { $0.stream == stream || $0.type == Self.goAway }
    }
}

extension [FrameClient.Frame] {
    /// The content of all DATA frames.
    var content: [UInt8] { filter { $0.type == FrameClient.data }.flatMap(\.payload) }
    /// The error code of the first frame that ends a stream or the connection for an error.
    var errorCode: UInt8? {
        for frame in self where frame.type == FrameClient.reset || frame.type == FrameClient.goAway {
            if let code = frame.payload.count >= 8 ? frame.payload[7] : frame.payload.last, code != 0 {
                return code
            }
        }
        return nil
    }
}
