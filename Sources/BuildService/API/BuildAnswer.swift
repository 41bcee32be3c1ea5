import JSON

/// How a build ended, as clients are told.
struct BuildResult: Sendable, Hashable {
    enum Outcome: Sendable, Hashable {
        /// The digest of what was pushed; nil where nothing was.
        case success(digest: String?)
        /// Why there is no image, for people.
        case failure(String)
    }

    /// The name as the client wrote it.
    var image: String
    var outcome: Outcome
    /// The whole build.
    var duration: Duration
    /// Whether the builder gave it up for a reason of its own, so that sending it again helps.
    var isInterrupted = false

    var isSuccess: Bool { if case .success = outcome { true } else { false } }
}

/// The objects that a client gets, in the dialects of the Function Builder API.
///
/// The words `success`, `failed` and `in_progress` are what clients compare with; any other would mean "not finished". They
/// read lines of 64 KiB at most, so no line is longer.
enum BuildAnswer {
    /// A line may not be longer: clients stop reading, without an error, at 65 536.
    static let lineBytesMaximum = 60 << 10
    /// One entry of a log is cut into pieces of this size: written as JSON it may be six times as long.
    private static let pieceBytesMaximum = 8 << 10
    /// Reasons are for people.
    private static let errorBytesMaximum = 4 << 10

    /// The lines that tell of a part of the log; no log makes one line without any, which shows that the builder lives.
    static func progress(_ log: [String], seconds: Double) -> [[UInt8]] {
        guard !log.isEmpty else { return [line(object([], seconds))] }
        var lines: [[UInt8]] = []
        var batch: [JSONValue] = []
        var size = 0
        for entry in log.flatMap(pieces) {
            let value = JSONValue.string(entry)
            let bytes = JSONWriter().write(value).count + 1
            // What stands around the log has some 60 bytes.
            if size + bytes > lineBytesMaximum - 256 {
                lines.append(line(object(batch, seconds)))
                (batch, size) = ([], 0)
            }
            batch.append(value)
            size += bytes
        }
        lines.append(line(object(batch, seconds)))
        return lines
    }

    /// The line that ends a stream.
    static func end(_ result: BuildResult) -> [UInt8] { line(.object(members(result))) }

    /// The one object of an answer that is not a stream.
    ///
    /// Old clients show the log and the status and nothing else, so the reason ends the log as well.
    static func whole(_ result: BuildResult, log: [String]) -> JSONValue {
        var log = log
        if case .failure(let reason) = result.outcome { log.append(cut(reason)) }
        var answer = members(result)
        answer["log"] = .array(log.map { .string($0) })
        return .object(answer)
    }

    /// An object that says how a build is while it is not finished.
    static func present(image: String, seconds: Double) -> JSONValue {
        ["image": .string(image), "status": "in_progress", "duration": .double(rounded(seconds))]
    }

    private static func object(_ log: [JSONValue], _ seconds: Double) -> JSONValue {
        var object: JSONObject = [:]
        if !log.isEmpty { object["log"] = .array(log) }
        object["status"] = "in_progress"
        object["duration"] = .double(rounded(seconds))
        return .object(object)
    }

    private static func members(_ result: BuildResult) -> JSONObject {
        var members: JSONObject = [:]
        if !result.image.isEmpty { members["image"] = .string(result.image) }
        switch result.outcome {
        case .success(let digest):
            members["status"] = "success"
            if let digest { members["digest"] = .string(digest) }
        case .failure(let reason):
            members["status"] = "failed"
            members["error"] = .string(cut(reason))
            // A member that other clients pass over: to them it is a failure like any other.
            if result.isInterrupted { members["interrupted"] = true }
        }
        members["duration"] = .double(rounded(result.duration.inSeconds))
        return members
    }

    private static func line(_ value: JSONValue) -> [UInt8] { JSONWriter().write(value) + [UInt8(ascii: "\n")] }

    private static func rounded(_ seconds: Double) -> Double { (seconds * 1000).rounded() / 1000 }

    private static func cut(_ reason: String) -> String { pieces(of: reason, errorBytesMaximum).first ?? "" }

    private static func pieces(_ entry: String) -> [String] { pieces(of: entry, pieceBytesMaximum) }

    /// Cuts between two characters of Unicode.
    private static func pieces(of text: String, _ bytesMaximum: Int) -> [String] {
        guard text.utf8.count > bytesMaximum else { return [text] }
        var pieces: [String] = []
        var piece = String.UnicodeScalarView()
        var size = 0
        for scalar in text.unicodeScalars {
            let bytes = UTF8.width(scalar)
            if size + bytes > bytesMaximum {
                pieces.append(String(piece))
                piece = String.UnicodeScalarView()
                size = 0
            }
            piece.append(scalar)
            size += bytes
        }
        pieces.append(String(piece))
        return pieces
    }
}

extension Duration {
    /// For clients and metrics, which count in seconds.
    var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}
