import CRDs
import ClusterAccess
import HTTP
import JSON
import KubernetesClient
import KubernetesTypes
import Timing

/// `/system/logs`.
extension AdminHandler {
    /// A stream that nobody ends is ended; a client that wants more asks again.
    private static let streamLimit = Duration.seconds(2 * 3600)
    private static let tailMaximum = 1_000_000
    private static let sinceMaximum = Duration.seconds(366 * 86_400)

    func logs(_ query: QueryParameters, _ caller: Caller) async throws(AdminRefusal) -> HTTPResponse {
        guard let name = query["name"] else { throw AdminRefusal(.badRequest, "name: name the function") }
        let key = try await key(name, query["namespace"])
        try await callers.require(.functions("get", key.namespace, key.name, subresource: "log"), of: caller)
        let wanted = try Self.wanted(query)
        _ = try await function(key)
        do {
            // What would fail at once had better be told by a status.
            _ = try await functionLogs.pods(key)
        } catch {
            throw AdminRefusal(any: error, "pods of function \(key.name) in namespace \(key.namespace)")
        }
        let headers = HTTPHeaders([
            ("Content-Type", "application/x-ndjson"),
            // Reverse proxies that gather answers would hold live lines back.
            ("X-Accel-Buffering", "no"),
        ])
        return HTTPResponse(
            .ok, headers: headers,
            body: .stream { [functionLogs] writer in
                let sender = LogSender(writer)
                do {
                    try await withDeadline(Self.streamLimit) {
                        try await functionLogs.read(key, wanted) { instance, lines in
                            try await sender.send(lines.flatMap { Self.encoded($0, key, instance) })
                        }
                    }
                } catch is DeadlineExceeded {
                    // The answer is whole as far as it goes.
                }
            })
    }

    /// One object a line; the text keeps its line's end, as OpenFaaS has it.
    static func encoded(_ line: LogLine, _ key: ObjectKey, _ instance: String) -> [UInt8] {
        let text = String(decoding: line.text, as: UTF8.self) + (line.isCut ? "… (cut)" : "")
        // A time that cannot be read makes Go's decoder refuse the line.
        let time = line.time.isEmpty ? Timestamp.now.rfc3339(.nanoseconds) : line.time
        let value: JSONValue = [
            "name": .string(key.name), "namespace": .string(key.namespace), "instance": .string(instance),
            "timestamp": .string(time), "text": .string(text + "\n"),
        ]
        return JSONWriter().write(value) + [UInt8(ascii: "\n")]
    }

    /// Which lines the client wants.
    ///
    /// - Throws: ``AdminRefusal`` that names the parameter.
    static func wanted(_ query: QueryParameters) throws(AdminRefusal) -> FunctionLogQuery {
        var wanted = FunctionLogQuery(follows: try query.flag("follow"), instance: query["instance"])
        if let text = query["tail"] {
            guard let tail = Int(text), tail <= tailMaximum else {
                throw AdminRefusal(.badRequest, "tail: a number up to \(tailMaximum)")
            }
            // -1 is how OpenFaaS' command line says nothing.
            wanted.tail = tail < 0 ? nil : tail
        }
        if let text = query["since"] {
            guard let time = Timestamp(rfc3339: text) else {
                throw AdminRefusal(.badRequest, "since: a time such as 2026-01-31T12:00:00Z")
            }
            wanted.since = max(.seconds(1), min(Timestamp.now - time, sinceMaximum))
        }
        return wanted
    }
}
