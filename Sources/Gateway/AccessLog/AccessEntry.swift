import HTTP
import Synchronization
import Telemetry

/// What the access log tells of one call.
///
/// The query is left out: it may hold what only the function should know.
final class AccessEntry: CallWitness {
    private struct End {
        let outcome: ProxyOutcome
        let requestID: String
        let remoteAddress: String
    }

    private let log: AccessLog
    private let function: String
    private let method: String
    private let host: String
    private let path: String
    private let end = Mutex<End?>(nil)

    init(log: AccessLog, function: String, _ head: RequestHead, in bytes: Span<UInt8>) {
        self.log = log
        self.function = function
        method = bytes.text(head.method)
        host = head.host.map { bytes.text($0) } ?? ""
        path = bytes.text(head.path)
    }

    /// About how many bytes it takes.
    var weight: Int { 256 + function.utf8.count + host.utf8.count + path.utf8.count }

    func ended(_ outcome: ProxyOutcome, requestID: String, remoteAddress: String) {
        end.withLock { $0 = End(outcome: outcome, requestID: requestID, remoteAddress: remoteAddress) }
        log.take(self)
    }

    func write(to logger: Logger) {
        guard let end = end.withLock({ $0 }) else { return }
        var fields: LogFields = [
            "function": function, "method": method, "host": host, "path": path, "status": end.outcome.status,
            "seconds": Double(end.outcome.nanoseconds) / 1e9, "attempts": end.outcome.attempts,
            "requestId": end.requestID, "remoteAddress": end.remoteAddress,
        ]
        if end.outcome.firstByteNanoseconds > 0 {
            fields["firstByteSeconds"] = Double(end.outcome.firstByteNanoseconds) / 1e9
        }
        if end.outcome.waitedNanoseconds > 0 {
            fields["waitedSeconds"] = Double(end.outcome.waitedNanoseconds) / 1e9
        }
        if end.outcome.cause != .answered {
            fields["cause"] = "\(end.outcome.cause)"
        }
        logger.info("call", fields)
    }
}
