import Builds
import HTTP
import JSON

/// Asks all gateways how calls went, and adds up what they say.
struct GatewayCalls: Sendable {
    /// What they say of one function.
    struct Counts: Equatable, Sendable {
        var total: UInt64 = 0
        var success: UInt64 = 0
        var failure: UInt64 = 0
    }

    /// They remember an hour.
    static let windowMaximum = Duration.seconds(3600)
    private static let gatewaysMaximum = 64
    /// 100,000 functions.
    private static let answerBytesMaximum = 16 << 20

    private let address: GatewayAddress
    private let timeout: Duration
    private let client = HTTPClient()
    private let lookUp: @Sendable (String) -> [String]

    /// - Parameters:
    ///   - address: A name with an address for each gateway, and their internal port.
    ///   - timeout: How long one may take: a gateway that is going does not hold a list up.
    ///   - lookUp: Finds the numeric addresses of a host; it may block.
    init(
        _ address: GatewayAddress, timeout: Duration = .seconds(2),
        lookUp: @escaping @Sendable (String) -> [String] = { HostAddresses.lookUp($0) }
    ) {
        self.address = address
        self.timeout = timeout
        self.lookUp = lookUp
    }

    /// The calls of functions by their labels.
    ///
    /// - Parameters:
    ///   - label: Only this one's; nil for all.
    ///   - window: The span of ``Counts/success`` and ``Counts/failure``, in whole minutes.
    /// - Throws: When there is no gateway, or one does not answer: then the sum would be wrong.
    func counts(of label: String?, window: Duration) async throws -> [String: Counts] {
        let (host, lookUp) = (address.host, lookUp)
        let hosts = try await BlockingThread.run { lookUp(host) }
        guard !hosts.isEmpty else { throw CallsUnknown(reason: "the name \(host) is unknown") }
        let minutes = max(1, (window.components.seconds + 59) / 60)
        let path = "/calls?window=\(minutes)" + (label.map { "&function=\($0)" } ?? "")
        return try await withThrowingTaskGroup(of: [String: Counts].self) { group in
            for host in hosts.prefix(Self.gatewaysMaximum) {
                let authority = host.contains(":") ? "[\(host)]" : host
                let url = "http://\(authority):\(address.port)\(path)"
                group.addTask { try await ask(url) }
            }
            var sum: [String: Counts] = [:]
            for try await part in group {
                for (label, counts) in part {
                    sum[label, default: Counts()].total &+= counts.total
                    sum[label, default: Counts()].success &+= counts.success
                    sum[label, default: Counts()].failure &+= counts.failure
                }
            }
            return sum
        }
    }

    private func ask(_ url: String) async throws -> [String: Counts] {
        let request = HTTPClientRequest(
            url: url, timeout: timeout, responseBytesMaximum: Self.answerBytesMaximum)
        let response = try await client.send(request)
        guard response.status == .ok, let functions = try JSONReader().parse(response.body)["functions"]?.objectValue
        else { throw CallsUnknown(reason: "\(url) answered \(response.status)") }
        return [String: JSONValue](functions).mapValues { entry in
            func number(_ key: String) -> UInt64 { UInt64(clamping: entry[key]?.integerValue ?? 0) }
            return Counts(total: number("total"), success: number("success"), failure: number("failure"))
        }
    }
}

/// Why it cannot be said how calls went.
struct CallsUnknown: Error, CustomStringConvertible {
    let reason: String
    var description: String { reason }
}
