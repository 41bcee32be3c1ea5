import Glibc
import Telemetry
import Testing

@Suite("Logger")
struct LoggerTests {
    @Test("A JSON line has time, level, label, message and typed fields")
    func jsonLine() throws {
        let pipe = try Pipe()
        let logger = Logger(label: "operator.function", output: pipe.output())

        logger.info(
            "function is ready", ["function": "a/b", "replicas": 3, "isNew": true, "ratio": 0.5, "big": UInt64.max])

        let line = pipe.contents()
        #expect(line.hasPrefix(#"{"time":"20"#))
        #expect(
            line.dropFirst(#"{"time":"2026-01-01T00:00:00.000Z","#.count)
                == #""level":"info","logger":"operator.function","message":"function is ready","function":"a/b","#
                + #""replicas":3,"isNew":true,"ratio":0.5,"big":18446744073709551615}"# + "\n")
    }

    @Test("No value can break out of its line or its quotes", arguments: [LogFormat.json, .text])
    func hostileValues(format: LogFormat) throws {
        let pipe = try Pipe()
        let logger = Logger(label: "x", output: pipe.output(format: format))

        logger.error("failed", ["reason": "a\"b\\c\n{\"level\":\"info\"}\r\t\u{1b}[31m\u{7f}\0é", "k=v k": "y"])

        let line = pipe.contents()
        #expect(line.filter { $0 == "\n" }.count == 1)
        #expect(line.contains(#""a\"b\\c\n{\"level\":\"info\"}\r\t\u001b[31m\u007f\u0000é""#))
    }

    @Test("A text line quotes only what is no plain word")
    func textLine() throws {
        let pipe = try Pipe()
        let logger = Logger(label: "x", output: pipe.output(format: .text)).with(["pod": "p-1"])

        logger.warning("image pull failed", ["image": "r/i:1", "reason": "not found", "empty": ""])

        let line = pipe.contents()
        #expect(
            line.hasSuffix(#" WARNING x: image pull failed pod=p-1 image=r/i:1 reason="not found" empty="""# + "\n"))
    }

    @Test("A field of the line wins over the logger's, and names of ours are kept free")
    func fieldNames() throws {
        let pipe = try Pipe()
        let logger = Logger(label: "x", output: pipe.output()).with(["a": 1, "b": 2])

        logger.info("m", ["a": 3, "level": "mine", "a": 4])

        #expect(pipe.contents().hasSuffix(#""message":"m","a":4,"b":2,"level_":"mine"}"# + "\n"))
    }

    @Test("A long value is cut")
    func longValue() throws {
        let pipe = try Pipe()

        Logger(label: "x", output: pipe.output()).info("m", ["v": String(repeating: "é", count: 20_000)])

        let line = pipe.contents()
        #expect(line.utf8.count < 8400)
        #expect(line.hasSuffix("é…\"}\n"))
    }

    @Test("Lines below the level are not written and their fields not made")
    func levels() throws {
        let pipe = try Pipe()
        let output = pipe.output(level: .warning)
        let logger = Logger(label: "x", output: output)
        var made = 0
        func fields() -> LogFields {
            made += 1
            return ["n": made]
        }

        logger.info("quiet", fields())
        output.level = .trace
        logger.trace("loud", fields())
        output.level = .error
        logger.warning("quiet again", fields())

        #expect(made == 1)
        #expect(pipe.contents().contains(#""message":"loud","n":1"#))
        #expect(logger.isEnabled(.error) && !logger.isEnabled(.warning))
    }

    @Test("A closed descriptor loses lines without harm")
    func brokenOutput() {
        Logger(label: "x", output: LogOutput(fileDescriptor: -1)).error("lost")
    }

    @Test("A level has a name and is found by it")
    func levelNames() {
        #expect(LogLevel.allCases.allSatisfy { LogLevel(name: $0.name.uppercased()) == $0 })
        #expect(LogLevel(name: "verbose") == nil)
    }
}

/// A pipe that takes up to 64 KiB of lines and gives them back.
private final class Pipe {
    private let readEnd: Int32
    private let writeEnd: Int32

    init() throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        (readEnd, writeEnd) = (ends[0], ends[1])
        try #require(fcntl(readEnd, F_SETFL, O_NONBLOCK) == 0)
    }

    deinit {
        close(readEnd)
        close(writeEnd)
    }

    func output(level: LogLevel = .info, format: LogFormat = .json) -> LogOutput {
        LogOutput(fileDescriptor: writeEnd, level: level, format: format)
    }

    func contents() -> String {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = read(readEnd, &buffer, buffer.count)
        return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    }
}
