extension ServerConnection {
    /// Marks life in the other direction of a tunnel, or whatever else restarts this connection's wait.
    func updateDeadline() {
        guard isOpen else { return }
        guard output.isEmpty else { return }
        switch phase {
        case .head:
            if input.isEmpty {
                loop.setDeadline(of: self, after: server.keepAliveNanoseconds)
            } else if deadline == .max || deadline > loop.now &+ server.headNanoseconds {
                // From the first byte of a head; later bytes do not move it.
                loop.setDeadline(of: self, after: server.headNanoseconds)
            }
        case .content:
            if isReading {
                loop.setDeadline(of: self, after: server.bodyIdleNanoseconds)
            } else {
                loop.clearDeadline(of: self)
            }
        case .waiting:
            if let endsAt = waiting?.endsAt {
                loop.setDeadline(of: self, after: endsAt > loop.now ? endsAt - loop.now : 0)
            }
        case .response:
            loop.clearDeadline(of: self)
        case .tunnel:
            loop.setDeadline(of: self, after: server.tunnelIdleNanoseconds)
        case .lingering:
            break
        }
    }
}
