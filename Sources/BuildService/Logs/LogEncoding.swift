import Builds
import HTTP
import JSON
import KubernetesTypes

/// How the lines of a log are sent.
enum LogEncoding: Sendable, Equatable {
    /// As they were written.
    case text
    /// One JSON object a line.
    case lines
    /// Server-sent events, for `EventSource` (HTML standard, section 9.2).
    case events

    /// Chooses by the `Accept` field; text when it names neither of the others.
    init(accept: String) {
        let accept = accept.lowercased()
        if accept.contains("text/event-stream") {
            self = .events
        } else if accept.contains("application/x-ndjson") || accept.contains("application/jsonl") {
            self = .lines
        } else {
            self = .text
        }
    }

    var contentType: String {
        switch self {
        case .text: "text/plain; charset=utf-8"
        case .lines: "application/x-ndjson"
        case .events: "text/event-stream"
        }
    }

    /// The id of the last event: a client that comes back with it is told to stay away.
    static let endID = "end"

    /// How a stream ended.
    enum End: String, Sendable {
        /// The log is over.
        case complete
        /// There may be more; ask again.
        case interrupted
    }

    /// A line of a build's log.
    ///
    /// - Parameter number: Its place in the log, counted from 1; nil when that is not known.
    func encoded(_ line: LogLine, number: Int?, showsTimes: Bool) -> [UInt8] {
        switch self {
        case .text: return Self.text(line, showsTimes: showsTimes)
        case .lines: return Self.json(line) + [UInt8(ascii: "\n")]
        case .events: return Self.event(id: number.map(String.init), Self.json(line))
        }
    }

    /// A line of a function's log, in the dialect of the OpenFaaS gateway.
    func encoded(_ line: LogLine, function: String, namespace: String, instance: String, showsTimes: Bool) -> [UInt8] {
        let value: JSONValue = [
            "name": .string(function), "namespace": .string(namespace), "instance": .string(instance),
            "timestamp": .string(line.time), "text": .string(Self.string(line)),
        ]
        switch self {
        case .text: return Array("\(instance) ".utf8) + Self.text(line, showsTimes: showsTimes)
        case .lines: return JSONWriter().write(value) + [UInt8(ascii: "\n")]
        case .events: return Self.event(id: nil, JSONWriter().write(value))
        }
    }

    /// What ends a build's log: without it the stream was cut on its way.
    func encoded(_ end: End) -> [UInt8] {
        let mark = JSONWriter().write(["end": .string(end.rawValue)])
        switch self {
        case .text: return []
        case .lines: return mark + [UInt8(ascii: "\n")]
        case .events: return Array("event: end\n".utf8) + Self.event(id: end == .complete ? Self.endID : nil, mark)
        }
    }

    /// What keeps a silent stream from being taken for dead; nil where the format has nothing of the kind.
    var keepAlive: [UInt8]? { self == .events ? Array(":\n\n".utf8) : nil }

    private static func text(_ line: LogLine, showsTimes: Bool) -> [UInt8] {
        var bytes: [UInt8] = showsTimes && !line.time.isEmpty ? Array((line.time + " ").utf8) : []
        bytes += line.text
        if line.isCut { bytes += Array(cutMark.utf8) }
        return bytes + [UInt8(ascii: "\n")]
    }

    private static func json(_ line: LogLine) -> [UInt8] {
        JSONWriter().write(["time": .string(line.time), "line": .string(string(line))])
    }

    private static func string(_ line: LogLine) -> String {
        String(decoding: line.text, as: UTF8.self) + (line.isCut ? cutMark : "")
    }

    private static let cutMark = "… (cut)"

    /// JSON holds no line's end, so the data of an event is one line.
    private static func event(id: String?, _ data: [UInt8]) -> [UInt8] {
        (id.map { Array("id: \($0)\n".utf8) } ?? []) + Array("data: ".utf8) + data + Array("\n\n".utf8)
    }
}
