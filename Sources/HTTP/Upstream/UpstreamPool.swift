/// The idle connections of one loop, per endpoint; the one used last is used next, so that the others can grow old.
///
/// Used on its loop only; what comes from elsewhere goes through the loop.
final class UpstreamPool: @unchecked Sendable {
    /// Idle connections kept per endpoint and loop; more are closed when they come back.
    ///
    /// More than calls are under way at once as a rule: where some are closed after each burst and made anew for the next, the calls
    /// that wait for a new one are the slowest.
    static let idlePerEndpointMaximum = 512
    /// How long connecting may take.
    ///
    /// On a cluster's network an answer takes a millisecond; a lost packet is sent again after one second.
    static let connectNanoseconds: UInt64 = 2_500_000_000

    private let loop: EventLoop
    /// How long an idle connection is kept.
    private let idleNanoseconds: UInt64
    private var idle: [UInt64: [UpstreamConnection]] = [:]
    /// Endpoints that tell us when they are retired.
    private var watched: Set<UInt64> = []

    init(loop: EventLoop, idleNanoseconds: UInt64) {
        self.loop = loop
        self.idleNanoseconds = idleNanoseconds
    }

    /// Takes the idle connection used last, if there is one.
    func take(_ endpoint: UpstreamEndpoint) -> UpstreamConnection? {
        guard let connection = idle[endpoint.id]?.popLast() else { return nil }
        connection.isIdle = false
        return connection
    }

    /// Starts to connect.
    ///
    /// - Returns: `nil` when that fails at once.
    func connect(_ endpoint: UpstreamEndpoint) -> UpstreamConnection? {
        guard let connection = UpstreamConnection(pool: self, loop: loop, endpoint: endpoint) else { return nil }
        guard loop.register(connection) else {
            connection.close()
            return nil
        }
        loop.setDeadline(of: connection, after: Self.connectNanoseconds)
        return connection
    }

    /// Keeps a connection whose exchange is complete.
    func give(_ connection: UpstreamConnection) {
        guard connection.isOpen else { return }
        let endpoint = connection.endpoint
        guard !endpoint.isRetired, idle[endpoint.id]?.count ?? 0 < Self.idlePerEndpointMaximum else {
            connection.close()
            return
        }
        watch(endpoint)
        connection.isIdle = true
        connection.resumeReading()
        loop.setDeadline(of: connection, after: idleNanoseconds)
        idle[endpoint.id, default: []].append(connection)
    }

    /// Forgets an idle connection that was closed.
    func forget(_ connection: UpstreamConnection) {
        let id = connection.endpoint.id
        guard var connections = idle[id] else { return }
        idle[id] = nil
        connections.removeAll { $0 === connection }
        if !connections.isEmpty {
            idle[id] = connections
        }
    }

    private func watch(_ endpoint: UpstreamEndpoint) {
        let id = endpoint.id
        guard watched.insert(id).inserted else { return }
        endpoint.whenRetired { [weak self] in
            guard let self else { return }
            loop.execute { self.retired(id) }
        }
    }

    private func retired(_ id: UInt64) {
        watched.remove(id)
        for connection in idle.removeValue(forKey: id) ?? [] {
            connection.close()
        }
    }

    /// Closes every idle connection.
    func closeIdle() {
        let all = idle.values.flatMap { $0 }
        for connection in all {
            connection.close()
        }
        idle = [:]
    }
}
