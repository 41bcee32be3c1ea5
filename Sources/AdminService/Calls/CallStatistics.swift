import HTTP
import Telemetry
import Timing

/// How the calls of functions went, from Prometheus where there is one, else from what the gateways remember.
struct CallStatistics: Sendable {
    let gateways: GatewayCalls
    let prometheus: PrometheusCalls?
    private let logger = Logger(label: "admin")

    /// Calls by what became of them.
    struct Counts: Equatable, Sendable {
        var success: UInt64 = 0
        var failure: UInt64 = 0
    }

    init(gateways: GatewayCalls, prometheus: PrometheusCalls?) {
        self.gateways = gateways
        self.prometheus = prometheus
    }

    /// The longest window that can be asked for.
    var windowMaximum: Duration { prometheus == nil ? GatewayCalls.windowMaximum : PrometheusCalls.windowMaximum }

    /// The calls of one function, by its label `<name>.<namespace>`.
    ///
    /// - Throws: ``AdminRefusal`` when whoever knows cannot be asked.
    func counts(of label: String, window: Duration) async throws(AdminRefusal) -> Counts {
        do {
            if let prometheus { return try await prometheus.counts(of: label, window: window) }
            let found = try await gateways.counts(of: label, window: window)
            return found[label].map { Counts(success: $0.success, failure: $0.failure) } ?? Counts()
        } catch {
            logger.warning("The numbers of calls cannot be asked for", ["error": "\(error)"])
            throw AdminRefusal(.serviceUnavailable, "the numbers of calls cannot be asked for now", retryAfter: 1)
        }
    }

    /// All calls of each function since the gateways started; empty when the gateways cannot be asked, which is no reason
    /// to withhold a list.
    func totals() async -> [String: UInt64] {
        do {
            return try await gateways.counts(of: nil, window: .seconds(60)).mapValues(\.total)
        } catch {
            logger.debug("The numbers of calls cannot be asked for", ["error": "\(error)"])
            return [:]
        }
    }
}
