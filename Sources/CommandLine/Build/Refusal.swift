import Commands
import JSON

/// What an answer means that is no build's.
enum Refusal {
    /// More of a refusal is not read.
    static let bytesMaximum = 64 << 10

    /// Says why there was no build, and what helps.
    static func failure(_ code: Int, _ bytes: [UInt8], _ place: String) -> CommandFailure {
        let reason = reason(bytes)
        switch code {
        case 401 where status(bytes) == nil:
            return CommandFailure(
                .refused, "\(place) refuses the signature\(reason)",
                advice: "the file of --payload-secret must hold what the builder has")
        case 401, 403:
            return CommandFailure(
                .refused, "\(place) cannot be used\(reason)",
                advice: "you need `create` on services/proxy in farebox-system, or a builder of your own: --builder URL"
            )
        case 404:
            return CommandFailure(
                .notFound, "\(place) is not there\(reason)",
                advice: "is the Function Builder API installed? See docs/builder-api.md, or build with --local")
        case 413: return CommandFailure(.failed, "the folder is too large for \(place)\(reason)")
        case 429: return CommandFailure(.timedOut, "\(place) had no place free", advice: "try again later")
        default: return CommandFailure(.failed, "\(place) answered \(code)\(reason)")
        }
    }

    /// The message of a Status object of the API server; nil when it is none.
    static func status(_ bytes: [UInt8]) -> String? {
        guard let value = try? JSONReader().parse(bytes), value["kind"]?.stringValue == "Status" else { return nil }
        return value["message"]?.stringValue ?? ""
    }

    private static func reason(_ bytes: [UInt8]) -> String {
        if let status = status(bytes) { return status.isEmpty ? "" : ": " + status }
        if let part = BuildResult.part(bytes, isWhole: true), let error = part.result.error { return ": " + error }
        let text = String(decoding: bytes.prefix(800), as: UTF8.self)
            .split(whereSeparator: \.isWhitespace).joined(separator: " ").prefix(200)
        return text.isEmpty ? "" : ": " + text
    }
}
