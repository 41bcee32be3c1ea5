import CCurl

/// The transfers under way and libcurl's handle that drives them.
///
/// Used on the thread of its loop only.
final class TransferTable {
    private let multi: UnsafeMutableRawPointer
    private let configuration: HTTPClientConfiguration
    private let connections: ConnectionCount
    private var transfers: [ObjectIdentifier: Transfer] = [:]
    private var exchanges: [UnsafeMutableRawPointer: TransferExchange] = [:]
    /// No transfer is overdue before this; `nil` when none will be.
    private var nextLook: ContinuousClock.Instant?

    init(_ multi: UnsafeMutableRawPointer, _ configuration: HTTPClientConfiguration, _ connections: ConnectionCount) {
        self.multi = multi
        self.configuration = configuration
        self.connections = connections
        farebox_curl_multi_set_long(
            multi, CURLMOPT_MAX_HOST_CONNECTIONS, configuration.connectionsPerHostMaximum)
        // The server's own limit (250 for kube-apiserver) still applies.
        farebox_curl_multi_set_long(multi, CURLMOPT_MAX_CONCURRENT_STREAMS, 1000)
    }

    /// Whether nothing is under way.
    var isEmpty: Bool { transfers.isEmpty }

    /// Does what another thread asked for.
    func carryOut(_ command: TransferLoop.Command) {
        switch command {
        case .start(let exchange, let request): start(exchange, request)
        case .resume(let exchange):
            guard let transfer = transfers[ObjectIdentifier(exchange)] else { return }
            transfer.resume()
            planLook(at: transfer, .now)
        case .cancel(let exchange): _ = remove(exchange)
        }
    }

    /// Lets libcurl do what is due, and reports the transfers that ended.
    func perform() {
        var running: Int32 = 0
        curl_multi_perform(multi, &running)
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle,
                let exchange = exchanges[handle]
            else { continue }
            let code = farebox_curl_message_result(message)
            if let transfer = remove(exchange) { transfer.finish(code) }
        }
    }

    /// Ends the transfers that were silent for too long.
    ///
    /// - Returns: How long to wait at most before asking again.
    func expireSilent(at now: ContinuousClock.Instant) -> Duration {
        // What comes in only moves the time away, so looking again at the earliest one is enough.
        if let nextLook, nextLook <= now {
            self.nextLook = nil
            for transfer in Array(transfers.values) {
                if transfer.isOverdue(at: now) {
                    _ = remove(transfer.exchange)
                    transfer.finishAsSilent()
                } else {
                    planLook(at: transfer, now)
                }
            }
        }
        guard let nextLook else { return Self.waitMaximum }
        return min(max(now.duration(to: nextLook), .zero), Self.waitMaximum)
    }

    private func planLook(at transfer: Transfer, _ now: ContinuousClock.Instant) {
        guard let time = transfer.earliestOverdue(at: now) else { return }
        nextLook = nextLook.map { min($0, time) } ?? time
    }

    /// libcurl wakes up earlier for its own timers; a minute only bounds what a mistake could cost.
    private static let waitMaximum = Duration.seconds(60)

    private func start(_ exchange: TransferExchange, _ request: HTTPClientRequest) {
        do {
            let transfer = try Transfer(request, configuration, exchange, connections)
            let code = curl_multi_add_handle(multi, transfer.pointer)
            guard code == CURLM_OK else {
                let reason = String(cString: curl_multi_strerror(code))
                return exchange.finish(.other(code: Int(code.rawValue), reason: reason, mayHaveArrived: false))
            }
            transfers[ObjectIdentifier(exchange)] = transfer
            exchanges[transfer.pointer] = exchange
            planLook(at: transfer, .now)
        } catch {
            exchange.finish(error)
        }
    }

    private func remove(_ exchange: TransferExchange) -> Transfer? {
        guard let transfer = transfers.removeValue(forKey: ObjectIdentifier(exchange)) else { return nil }
        exchanges.removeValue(forKey: transfer.pointer)
        curl_multi_remove_handle(multi, transfer.pointer)
        return transfer
    }
}
