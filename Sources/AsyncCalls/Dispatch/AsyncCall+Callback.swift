import Timing

extension AsyncCall {
    /// The posting of what a function answered; nil when nobody wants it.
    ///
    /// The fields are OpenFaaS': which call, of which function, when it was accepted, how long it took, and the status. A
    /// call that never got an answer is posted with what the platform would have said in its place.
    func callback(after outcome: CallOutcome, now: Timestamp = .now) -> AsyncCall? {
        guard lane.kind == .function, let callbackURL else { return nil }
        var fields = outcome.headers
        fields.append(Field("X-Call-Id", callID))
        fields.append(Field("X-Start-Time", startTime))
        fields.append(Field("X-Duration-Seconds", Self.seconds(outcome.duration)))
        fields.append(Field("X-Function-Name", lane.function))
        fields.append(Field("X-Function-Status", "\(outcome.status == 0 ? Self.noAnswerStatus : outcome.status)"))
        return AsyncCall(
            callID: callID, lane: CallLane(.callback, namespace: lane.namespace, name: lane.name), method: "POST",
            target: callbackURL, headers: fields, body: outcome.body, acceptedAt: now)
    }

    /// What a gateway says when a function cannot be reached.
    private static let noAnswerStatus = 502

    /// Seconds with six digits after the point.
    static func seconds(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let micros = max(0, attoseconds / 1_000_000_000_000)
        let digits = String(micros)
        return "\(max(0, seconds))." + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }
}
