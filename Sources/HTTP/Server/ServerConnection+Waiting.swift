/// A request whose head is there and about which nothing could be decided yet.
struct WaitingRequest {
    /// The head as it was sent.
    var head: [UInt8]
    /// The phase that the connection goes back to.
    var phase: ServerConnection.Phase
    /// What it waits for.
    var gate: any RequestGate
    /// By which it leaves the gate.
    var number: UInt64 = 0
    /// When the first wait began, in nanoseconds of the monotonic clock.
    var since: UInt64
    /// When the client is told to come back, in nanoseconds of the monotonic clock.
    var endsAt: UInt64
}

extension ServerConnection {
    /// How many seconds a client is told to stay away that waited in vain.
    private static let retryAfterSeconds = "1"

    /// Lets the request wait; nothing more of it is read meanwhile than has come already.
    ///
    /// - Parameters:
    ///   - gate: What it waits for.
    ///   - limit: How long in all, earlier waits included.
    ///   - head: The request's head.
    ///   - earlier: The wait before this one.
    func wait(for gate: any RequestGate, limit: Duration, head: Span<UInt8>, since earlier: WaitingRequest?) {
        var kept = earlier?.head ?? []
        if kept.isEmpty {
            kept.append(head)
        }
        let since = earlier?.since ?? loop.now
        waiting = WaitingRequest(
            head: kept, phase: phase, gate: gate, since: since, endsAt: since &+ limit.wholeNanoseconds)
        phase = .waiting
        updateDeadline()
        let number = gate.whenOpen { [self, loop] in
            loop.executeLater { self.waited(for: gate) }
        }
        waiting?.number = number
    }

    /// Asks the router again.
    private func waited(for gate: any RequestGate) {
        guard isOpen, phase == .waiting, let waiting, waiting.gate === gate else { return }
        endWait(waiting) {
            do throws(MessageError) {
                let limits = server.configuration.headLimits
                try server.requestHead.parse(waiting.head.span, end: waiting.head.count, limits: limits)
                decide(waiting.head.span, after: waiting)
            } catch {
                refuseMalformed(error)
            }
        }
    }

    /// Tells the client to come back later.
    func waitedTooLong() {
        guard let waiting else { return }
        waiting.gate.leave(waiting.number, .timedOut)
        endWait(waiting) {
            respond(
                .problem(
                    .serviceUnavailable, detail: "It could not be made ready in time.", requestID: requestID.text),
                adding: HTTPHeaders([("Retry-After", Self.retryAfterSeconds)]))
        }
    }

    /// Goes back to where the connection was before the wait, does something about the request, and reads on.
    private func endWait(_ waiting: WaitingRequest, _ act: () -> Void) {
        self.waiting = nil
        phase = waiting.phase
        // What follows the head is used below, when the request's exchange is there.
        isProcessing = true
        act()
        isProcessing = false
        guard isOpen, phase != .waiting else { return }
        if !isInputEnded {
            resumeReading()
        }
        if input.isEmpty {
            exchange?.inputProcessed()
        } else {
            processInput()
        }
        if isInputEnded, phase == .content {
            // The client left before its request was complete.
            abandonRequest()
            close()
        }
        updateDeadline()
    }
}
