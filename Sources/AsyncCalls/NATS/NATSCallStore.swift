import JSON
import Synchronization
import Telemetry
import Timing

/// Calls in NATS JetStream, which any number of gateways share.
///
/// Each kind of call has a stream from which a message goes when it is acknowledged, each lane a subject and a consumer. A
/// call that was taken by a gateway that is gone comes back after ``leaseSpan``. How durable a promise is, the server decides:
/// it has the message in as many places as the stream has copies, and writes it to disks now and then.
public final class NATSCallStore: CallStore {
    /// How long a call is taken for, unless it is extended.
    static let leaseSpan = Duration.seconds(20)
    /// How long the server may take for an answer.
    private static let answerLimit = Duration.seconds(5)

    private let names: JetStreamNames
    private let replicas: Int
    private let limits: CallLimits
    private let answerLimit: Duration
    private let connection: NATSConnection
    /// Streams and consumers that are known to be there.
    private let known = Mutex<Set<String>>([])
    private static let logger = Logger(label: "async.nats")

    /// Begins to connect.
    ///
    /// - Parameters:
    ///   - configuration: Where and as whom.
    ///   - limits: How much is taken on.
    /// - Throws: When the configuration cannot be used: a file that is not there, say.
    public convenience init(_ configuration: AsyncConfiguration.NATS, limits: CallLimits) throws(CallStoreError) {
        try self.init(configuration, limits: limits, answerLimit: NATSCallStore.answerLimit)
    }

    init(
        _ configuration: AsyncConfiguration.NATS, limits: CallLimits, answerLimit: Duration
    ) throws(CallStoreError) {
        self.answerLimit = answerLimit
        names = JetStreamNames(prefix: configuration.prefix)
        replicas = configuration.replicas
        self.limits = limits
        let late = LateMessages()
        connection = try NATSConnection(configuration) { late.giveBack($0) }
        late.attach(connection)
    }

    /// Others take a call that nobody says is still worked on.
    public var extensionInterval: Duration? { .seconds(6) }

    /// Keeps a call.
    public func accept(_ call: AsyncCall) async throws(CallStoreError) {
        try await publish(call)
    }

    /// The lanes in which something waits or is under way.
    public func lanes() async throws(CallStoreError) -> [CallLane] {
        var lanes: [CallLane] = []
        for kind in CallLane.Kind.allCases {
            try await ensureStreams()
            var offset = 0
            while true {
                let answer = try await api("CONSUMER.LIST.\(names.stream(kind))", ["offset": .integer(Int64(offset))])
                let consumers = answer["consumers"]?.arrayValue ?? []
                for consumer in consumers {
                    let waiting = (consumer["num_pending"]?.integerValue ?? 0)
                    let taken = (consumer["num_ack_pending"]?.integerValue ?? 0)
                    guard waiting + taken > 0, let subject = consumer[path: "config", "filter_subject"]?.stringValue,
                        let lane = names.lane(subject: subject)
                    else { continue }
                    lanes.append(lane)
                }
                offset += consumers.count
                guard !consumers.isEmpty, offset < answer["total"]?.integerValue ?? 0 else { break }
            }
        }
        return lanes
    }

    /// Takes the next call of a lane that is due.
    public func next(in lane: CallLane, within wait: Duration) async throws(CallStoreError) -> CallLease? {
        try await ensureConsumer(lane)
        let (seconds, attoseconds) = wait.components
        let nanoseconds = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
        let question = JSONWriter().write(["batch": 1, "expires": .integer(max(nanoseconds, 1_000_000))])
        let consumer = ConsumerName(stream: names.stream(lane.kind), consumer: names.consumer(lane))
        let subject = "$JS.API.CONSUMER.MSG.NEXT.\(consumer.stream).\(consumer.consumer)"
        let answer = try await connection.request(
            subject, question, pulling: consumer, limit: wait + .seconds(2))
        guard let message = answer else { return nil }
        switch message.status {
        case "": break
        case "404", "408": return nil
        default:
            // Somebody removed the consumer, or the server that has it is away.
            known.withLock { _ = $0.remove(names.subject(lane)) }
            throw .unavailable("NATS has no call to give (status \(message.status))")
        }
        guard let attempt = JetStreamNames.deliveries(acknowledgedAt: message.reply) else {
            throw .unavailable("NATS gave a message that cannot be acknowledged")
        }
        return CallLease(ticket: message.reply, lane: lane, attempt: attempt, envelope: message.data)
    }

    /// Reads the call that was taken.
    public func load(_ lease: CallLease) async throws(CallStoreError) -> AsyncCall? {
        do {
            return try CallEnvelope.decode(lease.envelope ?? [])
        } catch {
            throw .unavailable("a message is no call: \(error)")
        }
    }

    /// Says that the call is still worked on.
    public func extend(_ lease: CallLease) async {
        connection.send(lease.ticket, "+WPI")
    }

    /// Ends a call, and keeps what follows, before.
    public func finish(_ lease: CallLease, followedBy next: AsyncCall?) async throws(CallStoreError) {
        if let next { try await publish(next) }
        try await acknowledge(lease)
    }

    /// Gives a call back that is to be tried again.
    public func postpone(_ lease: CallLease, for wait: Duration) async throws(CallStoreError) {
        let (seconds, attoseconds) = wait.components
        let nanoseconds = max(0, seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
        try await acknowledge(lease, "-NAK {\"delay\": \(nanoseconds)}")
    }

    /// Gives a call back that was not tried; it counts as tried nevertheless, which only the server could change.
    public func release(_ lease: CallLease) async {
        connection.send(lease.ticket, "-NAK")
    }

    /// Puts a call away.
    public func bury(
        _ lease: CallLease, _ call: AsyncCall, reason: String, followedBy next: AsyncCall?
    ) async throws(CallStoreError) {
        try await ensureStreams()
        if let next { try await publish(next) }
        let end = DeadEnvelope.End(attempts: lease.attempt, diedAt: .now, reason: reason)
        // One message for each id: doing it again replaces it.
        try await store(names.deadSubject(call.id), DeadEnvelope.encode(call, end), id: nil)
        try await acknowledge(lease)
    }

    // MARK: Calls that were put away

    /// Calls that were put away, oldest first.
    public func dead(after cursor: UInt64?, limit: Int) async throws(CallStoreError) -> [DeadCall] {
        var found: [DeadCall] = []
        var last = cursor ?? 0
        while found.count < limit {
            let question: JSONValue = [
                "seq": .integer(Int64(clamping: last) + 1), "next_by_subj": .string(names.deadSubjects),
            ]
            guard let message = try await stored(question), let sequence = message.sequence else { break }
            last = sequence
            if let dead = Self.dead(message) { found.append(dead) }
        }
        return found
    }

    /// One call that was put away.
    public func dead(id: String) async throws(CallStoreError) -> DeadCall? {
        guard JetStreamNames.isID(id) else { return nil }
        return try await stored(["last_by_subj": .string(names.deadSubject(id))]).flatMap(Self.dead)
    }

    /// Has a call that was put away made after all.
    public func replay(id: String) async throws(CallStoreError) -> CallLane? {
        guard let dead = try await dead(id: id) else { return nil }
        // Doing it again, after an answer that was lost, adds no second one.
        try await publish(dead.call, id: "\(id)-\(dead.cursor)")
        try await forget(dead)
        return dead.call.lane
    }

    /// Forgets a call that was put away.
    public func drop(id: String) async throws(CallStoreError) -> Bool {
        guard let dead = try await dead(id: id) else { return false }
        try await forget(dead)
        return true
    }

    /// How much there is.
    public func counts() async throws(CallStoreError) -> CallCounts {
        try await ensureStreams()
        var counts = CallCounts(waiting: 0, dead: 0)
        for kind in CallLane.Kind.allCases { counts.waiting += try await messages(in: names.stream(kind)) }
        counts.dead = try await messages(in: names.deadStream)
        return counts
    }

    /// Closes the connection; what was taken comes back.
    public func close() async {
        connection.close()
    }

    private static func dead(_ message: NATSMessage) -> DeadCall? {
        guard let (call, end) = DeadEnvelope.decode(message.data), let sequence = message.sequence else { return nil }
        return DeadCall(
            cursor: sequence, call: call, attempts: end.attempts, diedAt: end.diedAt, reason: end.reason)
    }

    private func forget(_ dead: DeadCall) async throws(CallStoreError) {
        _ = try await api("STREAM.MSG.DELETE.\(names.deadStream)", ["seq": JSONValue(dead.cursor), "no_erase": true])
    }

    private func stored(_ question: JSONValue) async throws(CallStoreError) -> NATSMessage? {
        try await ensureStreams()
        let message = try await connection.request(
            "$JS.API.DIRECT.GET.\(names.deadStream)", JSONWriter().write(question), limit: answerLimit)
        guard let message else { throw Self.silence }
        switch message.status {
        case "": return message
        case "404": return nil
        default: throw .unavailable("NATS cannot read a call (status \(message.status))")
        }
    }

    private func messages(in stream: String) async throws(CallStoreError) -> Int {
        let info = try await api("STREAM.INFO.\(stream)", [:])
        return Int(clamping: info[path: "state", "messages"]?.integerValue ?? 0)
    }

    // MARK: Messages

    private func publish(_ call: AsyncCall, id: String? = nil) async throws(CallStoreError) {
        try await ensureConsumer(call.lane)
        try await store(names.subject(call.lane), CallEnvelope.encode(call), id: id ?? call.id)
    }

    private func store(_ subject: String, _ data: [UInt8], id: String?) async throws(CallStoreError) {
        let maximum = connection.payloadBytesMaximum
        guard maximum == 0 || data.count + 512 <= maximum else {
            throw .unavailable("the call is larger than max_payload of NATS, which is \(maximum) bytes")
        }
        let message = try await connection.request(subject, data, id: id, limit: answerLimit)
        guard let message else { throw Self.silence }
        guard message.status.isEmpty else {
            known.withLock { $0 = [] }
            throw .unavailable("NATS has no stream for calls (status \(message.status))")
        }
        guard let answer = try? JSONReader().parse(message.data) else {
            throw .unavailable("NATS answered nonsense to a call")
        }
        guard let error = answer["error"] else { return }
        let description = error["description"]?.stringValue ?? "an error"
        guard description.contains("maximum") else { throw .unavailable("NATS: \(description)") }
        throw .full("the store is full (\(description))")
    }

    /// Says what became of a call, and waits until the server has that.
    private func acknowledge(_ lease: CallLease, _ word: String = "+ACK") async throws(CallStoreError) {
        let answer = try await connection.request(lease.ticket, Array(word.utf8), limit: answerLimit)
        guard let answer else { throw Self.silence }
        guard answer.status.isEmpty || answer.status == "200" else {
            // The consumer is gone, and with it what it had handed out.
            throw .unavailable("NATS does not know the call any more (status \(answer.status))")
        }
    }

    private static let silence = CallStoreError.unavailable("NATS did not answer")

    // MARK: Streams and consumers

    private func api(_ name: String, _ body: JSONValue) async throws(CallStoreError) -> JSONValue {
        let message = try await connection.request(
            "$JS.API.\(name)", JSONWriter().write(body), limit: answerLimit)
        guard let message else { throw Self.silence }
        guard message.status.isEmpty else {
            throw .unavailable("NATS has no JetStream, or not for this user (status \(message.status))")
        }
        guard let answer = try? JSONReader().parse(message.data) else {
            throw .unavailable("NATS answered nonsense to \(name)")
        }
        if let error = answer["error"] {
            let code = error["err_code"]?.integerValue ?? 0
            throw .unavailable("NATS, \(name): \(error["description"]?.stringValue ?? "an error") (\(code))")
        }
        return answer
    }

    private func ensureStreams() async throws(CallStoreError) {
        guard !known.withLock({ $0.contains(names.deadStream) }) else { return }
        for kind in CallLane.Kind.allCases {
            var stream = stream(names.stream(kind), names.subjects(kind))
            stream["retention"] = "workqueue"
            stream["discard"] = "new"
            // Callbacks are part of calls that were let in.
            let factor: Int64 = kind == .callback ? 2 : 1
            stream["max_msgs"] = .integer(Int64(limits.callsMaximum) * factor)
            // The server sets so much aside at once.
            stream["max_bytes"] = .integer(Int64(limits.bytesMaximum))
            if kind == .function {
                stream["max_msgs_per_subject"] = .integer(Int64(limits.callsPerFunctionMaximum))
                stream["discard_new_per_subject"] = true
            }
            try await ensureStream(stream)
        }
        var dead = stream(names.deadStream, names.deadSubjects)
        dead["retention"] = "limits"
        dead["discard"] = "old"
        dead["max_msgs"] = .integer(Int64(limits.deadMaximum))
        dead["max_bytes"] = .integer(Int64(limits.bytesMaximum) / 4)
        dead["max_msgs_per_subject"] = 1
        dead["allow_direct"] = true
        try await ensureStream(dead)
        known.withLock { _ = $0.insert(names.deadStream) }
    }

    private func stream(_ name: String, _ subjects: String) -> JSONObject {
        [
            "name": .string(name), "subjects": .array([.string(subjects)]), "storage": "file",
            "num_replicas": .integer(Int64(replicas)), "duplicate_window": 120_000_000_000, "max_consumers": -1,
            "max_age": 0, "max_msg_size": -1,
        ]
    }

    /// Makes a stream, or changes the limits of the one that is there.
    private func ensureStream(_ stream: JSONObject) async throws(CallStoreError) {
        let name = stream["name"]?.stringValue ?? ""
        do throws(CallStoreError) {
            _ = try await api("STREAM.CREATE.\(name)", .object(stream))
        } catch {
            guard (try? await api("STREAM.INFO.\(name)", [:])) != nil else { throw error }
            do throws(CallStoreError) {
                _ = try await api("STREAM.UPDATE.\(name)", .object(stream))
            } catch {
                Self.logger.warning("A stream keeps its limits", ["stream": name, "error": error])
            }
        }
    }

    /// Makes the consumer of a lane.
    ///
    /// It must be there before the first call is: nobody would find that else.
    private func ensureConsumer(_ lane: CallLane) async throws(CallStoreError) {
        let subject = names.subject(lane)
        guard !known.withLock({ $0.contains(subject) }) else { return }
        try await ensureStreams()
        let (stream, consumer) = (names.stream(lane.kind), names.consumer(lane))
        let (seconds, _) = Self.leaseSpan.components
        let configuration: JSONValue = [
            "durable_name": .string(consumer), "filter_subject": .string(subject), "deliver_policy": "all",
            "ack_policy": "explicit", "ack_wait": .integer(seconds * 1_000_000_000), "max_deliver": -1,
            "replay_policy": "instant", "max_waiting": 2048,
            // Calls that wait for another attempt count as handed out; they must not keep the others from that.
            "max_ack_pending": .integer(Int64(limits.callsPerFunctionMaximum)),
        ]
        _ = try await api(
            "CONSUMER.DURABLE.CREATE.\(stream).\(consumer)",
            ["stream_name": .string(stream), "config": configuration])
        known.withLock { _ = $0.insert(subject) }
    }
}

/// Gives calls back at once that came when nobody waited for them any more: the server would wait for them else.
private final class LateMessages: Sendable {
    private struct Box: Sendable {
        weak var connection: NATSConnection?
    }

    private let box = Mutex(Box())

    func attach(_ connection: NATSConnection) {
        box.withLock { $0.connection = connection }
    }

    func giveBack(_ message: NATSMessage) {
        guard JetStreamNames.deliveries(acknowledgedAt: message.reply) != nil else { return }
        box.withLock { $0.connection }?.send(message.reply, "-NAK")
    }
}
