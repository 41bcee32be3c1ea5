import HTTP
import JSON

/// Answers `GET /calls?window=<minutes>[&function=<name>.<namespace>]` on the internal port: how calls went, for OpenFaaS' REST API.
///
/// `{"functions":{"<name>.<namespace>":{"total":…,"success":…,"failure":…}}}`: all calls since this gateway started, and those
/// of the window. Functions without any call are left out.
struct CallReport {
    let source: RouteSource

    func answer(query: String) -> HTTPResponse {
        var minutes = CallHistory.minutesMaximum
        var only: Substring?
        for part in query.split(separator: "&") {
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2 else { continue }
            switch sides[0] {
            case "window":
                guard let number = Int(sides[1]), (1...CallHistory.minutesMaximum).contains(number) else {
                    return .text(.badRequest, "window: minutes from 1 to \(CallHistory.minutesMaximum)\n")
                }
                minutes = number
            // Labels of functions need no escapes.
            case "function": only = sides[1]
            default: break
            }
        }
        var functions: [String: JSONValue] = [:]
        for calls in source.allCalls where only.map({ $0 == calls.label }) ?? true {
            guard let (total, recent) = calls.counts(ofLast: minutes) else { continue }
            functions[calls.label] = [
                "total": JSONValue(total.success &+ total.failure), "success": JSONValue(recent.success),
                "failure": JSONValue(recent.failure),
            ]
        }
        return .json(.ok, ["functions": JSONValue(functions)])
    }
}
