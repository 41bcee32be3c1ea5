import CFuzzer
import Glibc

@testable import HTTP

/// Feeds the HTTP parsers what libFuzzer makes up: `HTTPFuzzer head|content|answer|fields [LIBFUZZER-ARGUMENT…]`.
///
/// A trap, a hang, and bytes that mean one thing in one piece and another byte by byte are failures; and so is a request of
/// HTTP/2 whose head ends elsewhere once it is written down as HTTP/1.1 has it.
@main
struct HTTPFuzzer {
    static func main() {
        guard CommandLine.arguments.count > 1, let parser = FuzzedParser(rawValue: CommandLine.arguments[1]) else {
            print("HTTPFuzzer head|content|answer|fields [LIBFUZZER-ARGUMENT…]")
            exit(2)
        }
        // libFuzzer wants the program's name first, and none of our words.
        var words = ([CommandLine.arguments[0]] + CommandLine.arguments.dropFirst(2)).map { strdup($0) } + [nil]
        var count = Int32(words.count - 1)
        let status = words.withUnsafeMutableBufferPointer { buffer in
            var start = buffer.baseAddress
            return LLVMFuzzerRunDriver(&count, &start, parser.callback)
        }
        exit(status)
    }
}

/// What is fed.
enum FuzzedParser: String {
    /// The head of a request.
    case head
    /// Chunked content.
    case content
    /// The head of an upstream's answer.
    case answer
    /// The fields of a request of HTTP/2: each a name and a value with a byte for its length before it.
    case fields

    /// Called by libFuzzer for each input.
    var callback: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32 {
        switch self {
        case .head:
            { start, count in
                compare(start, count, feedHead)
                return 0
            }
        case .content:
            { start, count in
                compare(start, count, feedContent)
                return 0
            }
        case .answer:
            { start, count in
                compare(start, count, feedAnswer)
                return 0
            }
        case .fields:
            { start, count in
                rewrite(Array(UnsafeBufferPointer(start: start, count: count)))
                return 0
            }
        }
    }
}

/// Parses the same bytes in one piece and byte by byte, and ends the process when they mean different things.
private func compare(_ start: UnsafePointer<UInt8>?, _ count: Int, _ feed: ([UInt8], Int) -> String) {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    let whole = feed(bytes, max(1, bytes.count))
    let pieces = feed(bytes, 1)
    precondition(whole == pieces, "in one piece: \(whole); byte by byte: \(pieces)")
}

/// Writes the head of a request of HTTP/2 down, and ends the process when that is not one head and all of it.
private func rewrite(_ bytes: [UInt8]) {
    var builder = HTTP2HeadBuilder()
    var rest = bytes[...]
    func next() -> [UInt8]? {
        guard let length = rest.popFirst() else { return nil }
        defer { rest = rest.dropFirst(Int(length)) }
        return Array(rest.prefix(Int(length)))
    }
    while let name = next(), let value = next() {
        builder.add(name.span, value.span, limits: HeadLimits())
    }
    guard let head = try? builder.finish(hasContent: bytes.count.isMultiple(of: 2)) else { return }
    var scanner = HeadScanner()
    guard case .complete(let end) = try? scanner.scan(head.span, limits: HeadLimits()) else { return }
    precondition(end == head.count, "the head ends at \(end) of \(head.count) bytes: \(head)")
    var parsed = RequestHead()
    try? parsed.parse(head.span, end: end, limits: HeadLimits())
}

private func feedHead(_ bytes: [UInt8], step: Int) -> String {
    scan(bytes, step) { span, end throws(MessageError) in
        var head = RequestHead()
        try head.parse(span, end: end, limits: HeadLimits())
        return "\(head.framing) \(head.path) \(String(describing: head.query)) \(String(describing: head.host)) "
            + "\(head.keepsConnection) \(head.expectsContinue) \(String(describing: head.upgrade))"
    }
}

private func feedAnswer(_ bytes: [UInt8], step: Int) -> String {
    scan(bytes, step) { span, end throws(MessageError) in
        var head = UpstreamHead()
        try head.parse(span, end: end, answersHead: false, limits: HeadLimits())
        return "\(head.status) \(head.framing) \(head.keepsConnection)"
    }
}

/// What a scanner that gets `step` bytes more each time, and then a parser, make of bytes.
private func scan(
    _ bytes: [UInt8], _ step: Int, _ parse: (Span<UInt8>, Int) throws(MessageError) -> String
) -> String {
    var scanner = HeadScanner()
    var count = 0
    do throws(MessageError) {
        while count < bytes.count {
            count = min(bytes.count, count + step)
            guard case .complete(let end) = try scanner.scan(bytes.span.extracting(0..<count), limits: HeadLimits())
            else { continue }
            return "\(end) " + (try parse(bytes.span.extracting(0..<end), end))
        }
        return "incomplete"
    } catch {
        return "\(error)"
    }
}

private func feedContent(_ bytes: [UInt8], step: Int) -> String {
    var decoder = BodyDecoder(.chunked)
    var content: [UInt8] = []
    var offset = 0
    do throws(MessageError) {
        while offset < bytes.count {
            let part = bytes.span.extracting(offset..<min(bytes.count, offset + step))
            var used = 0
            piece: while used < part.count {
                switch try decoder.next(part, from: used) {
                case .content(let range):
                    content.append(part.extracting(range))
                    used = range.upperBound
                case .needMore:
                    break piece
                case .end(let end):
                    return "\(content) \(offset + end)"
                }
            }
            offset += part.count
        }
        return "\(content) incomplete"
    } catch {
        return "\(error)"
    }
}
