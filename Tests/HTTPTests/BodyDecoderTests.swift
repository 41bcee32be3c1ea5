import Testing

@testable import HTTP

@Suite("Message content")
struct BodyDecoderTests {
    /// Decodes `bytes` given in pieces of `step`; content, and how many bytes belong to the message once it ends.
    private func decode(
        _ bytes: [UInt8], _ framing: BodyFraming, step: Int
    ) throws(MessageError) -> (content: [UInt8], end: Int?) {
        var decoder = BodyDecoder(framing)
        var content: [UInt8] = []
        var base = 0
        while base < bytes.count, !decoder.isDone {
            let piece = Array(bytes[base..<min(bytes.count, base + step)])
            var offset = 0
            pieceLoop: while true {
                switch try decoder.next(piece.span, from: offset) {
                case .content(let range):
                    content += piece[range]
                    offset = range.upperBound
                case .needMore:
                    break pieceLoop
                case .end(let end):
                    return (content, base + end)
                }
            }
            base += piece.count
        }
        return (content, decoder.isDone ? base : nil)
    }

    private let chunked = "5;name=\"v\"\r\nhello\r\n006\r\n world\r\n0\r\nA: b\r\nC: d\r\n\r\nNEXT"

    @Test("Chunks are put together whatever pieces they come in", arguments: [1, 2, 3, 7, 1000])
    func chunks(step: Int) throws {
        let bytes = Array(chunked.utf8)

        let (content, end) = try decode(bytes, .chunked, step: step)

        #expect(String(decoding: content, as: UTF8.self) == "hello world")
        #expect(end == bytes.count - 4)
    }

    static let malformedChunksCases: [(String, MessageError)] = [
        ("0x1\r\n", .badChunk), ("1\n", .badChunk), ("\r\n", .badChunk), ("g\r\n", .badChunk),
        ("-1\r\n", .badChunk), ("+1\r\n", .badChunk), (" 1\r\n", .badChunk), ("1 \r\n", .badChunk),
        ("1\r\nab\r\n", .badChunk), ("1\r\na\n", .badChunk), ("1\r\na\r0", .badChunk), (";a\r\n", .badChunk),
        ("1;a\u{0}\r\n", .badChunk), ("1;a\nb\r\n", .badChunk), ("0\r\n\n", .badTrailer),
        ("0\r\n a\r\n", .badTrailer),
        ("0\r\nA: b\n", .badTrailer), ("0\r\nA\u{0}\r\n", .badTrailer), ("1000000000000000\r\n", .badChunk),
        ("FFFFFFFFFFFFFFFFFF\r\n", .badChunk), ("1;" + String(repeating: "a", count: 256), .badChunk),
        ("0\r\nA: " + String(repeating: "a", count: 8192), .badTrailer),
    ]

    @Test("Malformed chunks are refused", arguments: malformedChunksCases)
    func malformedChunks(text: String, expected: MessageError) {
        for step in [1, 1000] {
            #expect(throws: expected) { try decode(Array(text.utf8), .chunked, step: step) }
        }
    }

    @Test("Content of a known length ends there", arguments: [1, 4, 100])
    func length(step: Int) throws {
        let (content, end) = try decode(Array("helloNEXT".utf8), .length(5), step: step)

        #expect(String(decoding: content, as: UTF8.self) == "hello")
        #expect(end == 5)
    }

    @Test("A cut message is not complete, one that ends with its connection is")
    func ends() {
        var cut = BodyDecoder(.length(5))
        var chunked = BodyDecoder(.chunked)
        var open = BodyDecoder(.untilClose)

        let isComplete = [cut.end(), chunked.end(), open.end()]

        #expect(isComplete == [false, false, true])
    }

    @Test("However chunks are mutated, they decode alike in one piece and byte by byte, and without a trap")
    func mutations() async {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = FastRandom(seed: seed)
        let alphabet = Array("\r\n;0159afAF \u{0}x".utf8) + [0x80, 0xFF]

        for round in 0..<300 {  // hack/fuzz does it for longer
            await Task.yield()
            var bytes = Array(chunked.utf8)
            for _ in 0...Int.random(in: 0..<3, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                bytes[place] = alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
            }
            let whole = outcome(bytes, step: 1000)
            let pieces = outcome(bytes, step: 1)
            #expect(whole == pieces, "seed \(seed), round \(round)")
        }
    }

    private func outcome(_ bytes: [UInt8], step: Int) -> String {
        do throws(MessageError) {
            let (content, end) = try decode(bytes, .chunked, step: step)
            return "\(content) \(end ?? -1)"
        } catch {
            return "\(error)"
        }
    }
}
