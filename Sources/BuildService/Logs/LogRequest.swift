import Builds
import CRDs
import ClusterAccess
import HTTP
import KubernetesTypes
import Timing

/// What a request to the log API asks for.
struct LogRequest: Sendable, Equatable {
    /// Whose log.
    enum Target: Sendable, Equatable {
        /// A build's.
        case build(LogKey)
        /// A function's, by the object's namespace and name.
        case function(ObjectKey)
    }

    let target: Target
    let format: LogEncoding
    /// Only so many lines from the end.
    var tail: Int?
    /// Only lines that are younger; of functions only.
    var since: Duration?
    /// Whether to wait for further lines.
    var follows: Bool
    /// Whether text lines begin with their times.
    var showsTimes: Bool
    /// The token of a link.
    var token: String?
    /// The number of the last line that a broken stream brought: it goes on behind it.
    var lastNumber = 0

    static let tailMaximum = 1_000_000
    /// A path is not longer: five encoded parts.
    private static let pathBytesMaximum = 3000

    /// Reads the target of a path; nil when there is nothing at it.
    static func target(path: String, ownNamespace: String) -> Target? {
        guard path.hasPrefix(LogAddress.prefix), path.utf8.count <= pathBytesMaximum else { return nil }
        let parts = path.dropFirst(LogAddress.prefix.count).split(separator: "/", omittingEmptySubsequences: false)
        if parts.count == 3, parts[0] == "functions" {
            guard DNSName.isLabel(parts[1]), DNSName.isSubdomain(String(parts[2])) else { return nil }
            return .function(ObjectKey(namespace: String(parts[1]), name: String(parts[2])))
        }
        guard let key = LogKey(urlParts: parts) else { return nil }
        // One log has one address.
        guard key.namespace != ownNamespace else { return nil }
        return .build(key)
    }

    /// Reads the rest of a request.
    ///
    /// - Throws: ``Malformed`` with what is wrong.
    init(_ request: HTTPRequest, target: Target) throws(Malformed) {
        self.target = target
        format = LogEncoding(accept: request.headers.values(for: "Accept").joined(separator: ","))
        follows = format != .text
        showsTimes = false
        for (name, value) in try Self.parameters(request.query ?? "") {
            switch name {
            case "follow": follows = try Self.flag(name, value)
            case "timestamps": showsTimes = try Self.flag(name, value)
            case "token": token = value
            case "tail":
                guard let number = Int(value), (0...Self.tailMaximum).contains(number) else {
                    throw Malformed("tail: a number from 0 to \(Self.tailMaximum)")
                }
                tail = number
            case "since": since = try Self.since(value)
            default: break
            }
        }
        guard let last = request.headers["Last-Event-ID"], format == .events else { return }
        lastNumber = last == LogEncoding.endID ? Int.max : min(max(Int(last) ?? 0, 0), Int.max - 1)
    }

    /// What of it concerns a function's log.
    var ofFunction: FunctionLogQuery { FunctionLogQuery(tail: tail, since: since, follows: follows) }

    struct Malformed: Error, Equatable {
        let reason: String
        init(_ reason: String) { self.reason = reason }
    }

    private static func parameters(_ query: String) throws(Malformed) -> [(String, String)] {
        var parameters: [(String, String)] = []
        for part in query.split(separator: "&") {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentEncoding.decode(pair[0]),
                let value = PercentEncoding.decode(pair.count == 2 ? pair[1] : "")
            else { throw Malformed("the query is not percent-encoded") }
            parameters.append((name, value))
        }
        return parameters
    }

    private static func flag(_ name: String, _ value: String) throws(Malformed) -> Bool {
        switch value {
        case "", "1", "true": return true
        case "0", "false": return false
        default: throw Malformed("\(name): true or false")
        }
    }

    private static func since(_ value: String) throws(Malformed) -> Duration {
        if let span = Duration(goStyle: value), span > .zero { return min(span, .seconds(366 * 86_400)) }
        guard let time = Timestamp(rfc3339: value) else {
            throw Malformed("since: a time such as 2026-01-31T12:00:00Z, or a span such as 5m")
        }
        return max(.seconds(1), min(Timestamp.now - time, .seconds(366 * 86_400)))
    }
}
