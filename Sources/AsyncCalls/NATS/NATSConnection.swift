import CNATS
import Cryptography
import Glibc
import Synchronization
import Telemetry
import Timing

/// One connection to a cluster of NATS, which the library keeps up and makes anew by itself.
///
/// Everything is a request with one answer: a subject of our own for each, below one inbox. The library calls back on its
/// threads, and nothing here blocks but for a moment.
final class NATSConnection: @unchecked Sendable {
    // SAFETY: the two pointers are set in the initialiser and freed in deinit, when nobody else has this object any more;
    // the library's functions may be called from any thread. All else is in `state`.

    /// A request that waits for its answer.
    private typealias Waiter = CheckedContinuation<NATSMessage?, Never>

    private struct State {
        var waiters: [UInt64: Waiter] = [:]
        /// Who waits for a message of a consumer, in the order in which the server was asked.
        var pulls: [ConsumerName: [UInt64]] = [:]
        var next: UInt64 = 0
        var isClosed = false
    }

    /// What the library's callback is given; it may outlive the connection for a moment.
    private final class Receiver: Sendable {
        let state = Mutex(State())
        /// Takes messages that came too late for whoever asked.
        let stray: @Sendable (NATSMessage) -> Void

        init(stray: @escaping @Sendable (NATSMessage) -> Void) {
            self.stray = stray
        }

        func take(_ message: NATSMessage) {
            let waiter = state.withLock { state -> Waiter? in
                // A message of a stream comes under its own subject, not under that of whoever asked for it.
                guard let consumer = JetStreamNames.consumer(acknowledgedAt: message.reply) else {
                    return message.subject.split(separator: ".").last.flatMap { UInt64($0) }
                        .flatMap { state.waiters.removeValue(forKey: $0) }
                }
                while let token = state.pulls[consumer]?.first {
                    state.pulls[consumer]?.removeFirst()
                    if let waiter = state.waiters.removeValue(forKey: token) { return waiter }
                }
                return nil
            }
            guard let waiter else { return stray(message) }
            waiter.resume(returning: message)
        }

        /// A request for a message of a consumer is over, however it ended.
        func end(_ token: UInt64, pulling consumer: ConsumerName) {
            state.withLock { state in
                state.pulls[consumer]?.removeAll { $0 == token }
                if state.pulls[consumer]?.isEmpty == true { state.pulls[consumer] = nil }
            }
        }

        func giveUp(_ token: UInt64) {
            let waiter = state.withLock { $0.waiters.removeValue(forKey: token) }
            waiter?.resume(returning: nil)
        }
    }

    private let pointer: OpaquePointer
    private let subscription: OpaquePointer
    private let receiver: Receiver
    private let inbox: String
    /// Held while a request is noted and sent, so that the server is asked in the order in which answers are expected.
    private let order = Mutex(())
    private static let logger = Logger(label: "async.nats")

    /// Connects, or begins to: a server that is away is tried again for ever.
    ///
    /// Blocks for at most the library's limit of two seconds.
    ///
    /// - Parameters:
    ///   - configuration: Where and as whom.
    ///   - stray: Takes messages that came too late for whoever asked.
    init(
        _ configuration: AsyncConfiguration.NATS, stray: @escaping @Sendable (NATSMessage) -> Void
    ) throws(CallStoreError) {
        let receiver = Receiver(stray: stray)
        self.receiver = receiver
        inbox = "_INBOX." + Hex.encode(randomBytes(12))
        let options = try Self.options(configuration)
        defer { natsOptions_Destroy(options) }
        var connection: OpaquePointer?
        let status = natsConnection_Connect(&connection, options)
        guard status == NATS_OK || status == NATS_NOT_YET_CONNECTED, let connection else {
            throw Self.failure("connect", status)
        }
        var subscription: OpaquePointer?
        let context = Unmanaged.passRetained(receiver).toOpaque()
        let subscribed = natsConnection_Subscribe(
            &subscription, connection, inbox + ".*",
            { _, _, message, context in
                guard let message else { return }
                defer { natsMsg_Destroy(message) }
                guard let context else { return }
                Unmanaged<Receiver>.fromOpaque(context).takeUnretainedValue().take(NATSMessage(message))
            }, context)
        guard subscribed == NATS_OK, let subscription else {
            Unmanaged<Receiver>.fromOpaque(context).release()
            natsConnection_Destroy(connection)
            throw Self.failure("subscribe", subscribed)
        }
        // Given back when no callback can come any more.
        natsSubscription_SetOnCompleteCB(
            subscription,
            { context in
                guard let context else { return }
                Unmanaged<Receiver>.fromOpaque(context).release()
            }, context)
        pointer = connection
        self.subscription = subscription
    }

    deinit {
        close()
        natsSubscription_Destroy(subscription)
        natsConnection_Destroy(pointer)
    }

    /// Closes the connection; whoever waits gets nothing.
    func close() {
        let waiters = receiver.state.withLock { state in
            state.isClosed = true
            defer { state.waiters = [:] }
            return state.waiters.values
        }
        for waiter in waiters { waiter.resume(returning: nil) }
        natsConnection_Close(pointer)
    }

    /// The largest message that the server takes; 0 before the first connection.
    var payloadBytesMaximum: Int { Int(clamping: natsConnection_GetMaxPayload(pointer)) }

    /// Sends a message and waits for the one answer to it.
    ///
    /// - Parameters:
    ///   - subject: Where it goes.
    ///   - data: Its content.
    ///   - consumer: Whose next message is asked for, where that is the question.
    ///   - id: By which the server knows a message that it has already (`Nats-Msg-Id`).
    ///   - limit: How long to wait; the wait also ends when the task is cancelled.
    /// - Returns: Nil when none came.
    func request(
        _ subject: String, _ data: [UInt8], pulling consumer: ConsumerName? = nil, id: String? = nil, limit: Duration
    ) async throws(CallStoreError) -> NATSMessage? {
        let token = receiver.state.withLock { state in
            state.next += 1
            return state.next
        }
        let alarm = Task { [receiver] in
            guard (try? await Task.sleep(for: limit)) != nil else { return }
            receiver.giveUp(token)
        }
        defer {
            alarm.cancel()
            if let consumer { receiver.end(token, pulling: consumer) }
        }
        let sent = Mutex(NATS_OK)
        let answer = await withTaskCancellationHandler {
            await withCheckedContinuation { (waiter: Waiter) in
                let (mayWait, status) = order.withLock { _ in
                    let mayWait = receiver.state.withLock { state in
                        guard !state.isClosed, !Task.isCancelled else { return false }
                        state.waiters[token] = waiter
                        if let consumer { state.pulls[consumer, default: []].append(token) }
                        return true
                    }
                    guard mayWait else { return (false, NATS_OK) }
                    return (true, publish(subject, data, id: id, reply: "\(inbox).\(token)"))
                }
                guard mayWait else { return waiter.resume(returning: nil) }
                if status != NATS_OK {
                    sent.withLock { $0 = status }
                    receiver.giveUp(token)
                }
            }
        } onCancel: { [receiver] in
            receiver.giveUp(token)
        }
        let status = sent.withLock { $0 }
        guard status == NATS_OK else { throw Self.failure("publish", status) }
        return answer
    }

    /// Sends a message that nobody answers.
    func send(_ subject: String, _ text: String) {
        _ = publish(subject, Array(text.utf8), id: nil, reply: nil)
    }

    private func publish(_ subject: String, _ data: [UInt8], id: String?, reply: String?) -> natsStatus {
        var message: OpaquePointer?
        let created = data.withUnsafeBytes { bytes in
            natsMsg_Create(
                &message, subject, reply, bytes.baseAddress?.assumingMemoryBound(to: CChar.self),
                Int32(clamping: bytes.count))
        }
        guard created == NATS_OK, let message else { return created }
        defer { natsMsg_Destroy(message) }
        if let id {
            let status = natsMsgHeader_Set(message, "Nats-Msg-Id", id)
            guard status == NATS_OK else { return status }
        }
        return natsConnection_PublishMsg(pointer, message)
    }

    private static func options(_ configuration: AsyncConfiguration.NATS) throws(CallStoreError) -> OpaquePointer {
        var options: OpaquePointer?
        var status = natsOptions_Create(&options)
        guard status == NATS_OK, let options else { throw failure("options", status) }
        let servers = configuration.servers.map { strdup($0) }
        defer { for server in servers { free(server) } }
        var pointers = servers.map { UnsafePointer<CChar>($0) }
        let steps: [() -> natsStatus] = [
            { natsOptions_SetServers(options, &pointers, Int32(clamping: pointers.count)) },
            { natsOptions_SetName(options, "farebox-gateway") },
            // A server that is away comes back, or another takes its place.
            { natsOptions_SetMaxReconnect(options, -1) },
            { natsOptions_SetReconnectWait(options, 250) },
            { natsOptions_SetRetryOnFailedConnect(options, true, nil, nil) },
            { natsOptions_SetPingInterval(options, 10_000) },
            { natsOptions_SetMaxPingsOut(options, 2) },
            { natsOptions_SetSendAsap(options, true) },
            {
                configuration.servers.contains { $0.hasPrefix("tls://") }
                    ? natsOptions_SetSecure(options, true) : NATS_OK
            },
            {
                configuration.certificatesPath.map { natsOptions_LoadCATrustedCertificates(options, $0) } ?? NATS_OK
            },
            {
                configuration.credentialsPath.map { natsOptions_SetUserCredentialsFromFiles(options, $0, nil) }
                    ?? NATS_OK
            },
        ]
        for step in steps {
            status = step()
            guard status == NATS_OK else {
                natsOptions_Destroy(options)
                throw failure("options", status)
            }
        }
        return options
    }

    private static func failure(_ act: String, _ status: natsStatus) -> CallStoreError {
        .unavailable("NATS, \(act): \(natsStatus_GetText(status).map { String(cString: $0) } ?? "failed")")
    }
}
