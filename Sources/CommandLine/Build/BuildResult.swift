import Commands
import JSON
import KubernetesClient

/// What a builder says of a build, in one piece or at the end of a stream.
struct BuildResult: Sendable, Hashable {
    /// The image that was asked for.
    var image: String
    /// Its digest, `sha256:…`; nil from builders that do not tell.
    var digest: String?
    /// Why it failed; nil when it did not.
    var error: String?
    /// Whether the builder gave it up for a reason of its own, so that sending it again helps.
    var isInterrupted = false

    /// How a build stands.
    ///
    /// Source: `facts/builder-and-faaso.md` §1.6, §1.7.
    enum Status: Sendable, Hashable {
        case underWay
        case succeeded
        case failed
    }

    /// One object of an answer.
    struct Part: Sendable, Hashable {
        var log: [String]
        var status: Status
        var result: BuildResult
    }

    /// Reads an object of an answer; nil for what is none.
    ///
    /// - Parameter isWhole: Whether it is the whole answer, which ends in any case.
    static func part(_ bytes: [UInt8], isWhole: Bool = false) -> Part? {
        guard let value = try? JSONReader().parse(bytes), value.objectValue != nil else { return nil }
        let word = value["status"]?.stringValue ?? ""
        let error = value["error"]?.stringValue.flatMap { $0.isEmpty ? nil : $0 }
        var result = BuildResult(image: value["image"]?.stringValue ?? "", digest: digest(value), error: error)
        let status: Status
        switch word {
        case "success": status = .succeeded
        // OpenFaaS' documentation says "failure", and builders of old put a reason behind it.
        case let word where word.hasPrefix("fail") || word.hasPrefix("unexpected"): status = .failed
        default: status = isWhole ? .failed : .underWay
        }
        if status == .failed, error == nil { result.error = word.isEmpty ? "the builder does not say why" : word }
        result.isInterrupted = status == .failed && value["interrupted"] == true
        let log = (value["log"]?.arrayValue ?? []).compactMap(\.stringValue)
        return Part(log: log, status: status, result: result)
    }

    private static func digest(_ value: JSONValue) -> String? {
        guard let text = value["digest"]?.stringValue, text.hasPrefix("sha256:"), text.utf8.count == 71 else {
            return nil
        }
        return text
    }
}

/// An answer that comes line by line (NDJSON), as a value: bytes in, log lines and the result out.
struct BuildStream: Sendable {
    /// A line of an answer may not be longer; builders keep below 64 KiB for faas-cli's sake.
    static let lineBytesMaximum = 1 << 20

    private var splitter: LineSplitter
    /// How many lines of the log somebody has seen already, in an answer that broke off.
    private var seen: Int
    /// How many lines of the log came, those that were seen before included.
    private(set) var lines = 0
    /// The result, once it is there.
    private(set) var result: BuildResult?

    /// Makes a stream.
    ///
    /// - Parameter seen: How many lines of the log were shown already.
    init(seen: Int = 0) {
        splitter = LineSplitter(lineBytesMaximum: Self.lineBytesMaximum)
        self.seen = seen
    }

    /// Takes what came.
    ///
    /// - Returns: The lines of the log that are new.
    /// - Throws: `CommandFailure` for what no builder says.
    mutating func take(_ piece: [UInt8]) throws(CommandFailure) -> [String] {
        var fresh: [String] = []
        let objects: [[UInt8]]
        do {
            objects = try splitter.take(piece)
        } catch {
            throw CommandFailure(.failed, "the builder's answer has a line of more than \(error.bytesMaximum) bytes")
        }
        for object in objects where result == nil {
            if object.allSatisfy({ $0 == UInt8(ascii: "\r") }) { continue }
            guard let part = BuildResult.part(object) else {
                let shown = String(decoding: object.prefix(200), as: UTF8.self)
                throw CommandFailure(.failed, "the builder answers something else than a build's log: \(shown)")
            }
            for line in part.log {
                // What is said about waiting depends on the moment: a second telling may have more or less of it.
                if Self.isAboutWaiting(line) {
                    fresh.append(line)
                    continue
                }
                lines += 1
                if lines > seen { fresh.append(line) }
            }
            if part.status != .underWay { result = part.result }
        }
        return fresh
    }

    /// Whether a line is one of a queue: `v: <time> [queue] …`.
    private static func isAboutWaiting(_ line: String) -> Bool {
        let words = line.split(separator: " ", maxSplits: 3)
        return words.count > 2 && words[0] == "v:" && words[2] == "[queue]"
    }
}
