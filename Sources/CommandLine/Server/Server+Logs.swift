import ClusterAccess
import Commands
import HTTP
import JSON
import KubernetesClient
import KubernetesTypes
import Timing

extension Server {
    /// A line of a log in JSON; the server cuts what is longer.
    private static let lineBytesMaximum = 4 << 20

    /// Reads the log of a function's replicas, to its end or for as long as somebody wants it.
    ///
    /// - Parameter take: Gets lines that came together, and the pod they are from.
    /// - Throws: `CommandFailure`, `CancellationError`.
    func logs(_ name: String, _ query: FunctionLogQuery, _ take: ([LogLine], String) -> Void) async throws {
        let object = "the log of \(title("function", name))"
        var pairs = [("name", name), ("follow", query.follows ? "true" : "false")]
        if let tail = query.tail { pairs.append(("tail", "\(tail)")) }
        if let since = query.since { pairs.append(("since", (Timestamp.now - since).rfc3339())) }
        if let instance = query.instance { pairs.append(("instance", instance)) }
        let stream = try await open(.get, "/system/logs", query: pairs, about: object)
        defer { stream.cancel() }
        var splitter = LineSplitter(lineBytesMaximum: Self.lineBytesMaximum)
        do {
            while let piece = try await stream.next() {
                for line in try splitter.take(piece) {
                    guard let (line, instance) = Self.line(line) else { continue }
                    take([line], instance)
                }
            }
        } catch let error as HTTPClientError {
            throw CommandFailure(error, object)
        } catch is LineTooLong {
            throw CommandFailure("\(object): a line is longer than \(Self.lineBytesMaximum) bytes")
        }
    }

    /// Reads an object of the stream; nil for what is none.
    static func line(_ bytes: [UInt8]) -> (LogLine, instance: String)? {
        guard let value = try? JSONReader().parse(bytes), let text = value["text"]?.stringValue else { return nil }
        let body = text.hasSuffix("\n") ? text.dropLast() : text[...]
        let line = LogLine(time: value["timestamp"]?.stringValue ?? "", text: Array(body.utf8))
        return (line, value["instance"]?.stringValue ?? "")
    }
}
