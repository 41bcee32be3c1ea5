import HTTP
import Telemetry
import Timing

/// Receives deliveries of all kinds of hosts.
///
/// The order is fixed: size, raw body, signature over it, and only then is anything parsed. What changes nothing is
/// answered with 200 and its reason, what changed something with 202, what the sender should mend with a 4xx; 503 means
/// that the same delivery is welcome again in a moment. Nothing is answered with 500.
struct DeliveryDesk: Sendable {
    let secrets: any SecretSource
    let intake: EventIntake
    let deliveries: DeliveryLog
    let records: any DeliveryRecords
    let budget: Budget
    let metrics: WebhookMetrics
    let audit: EventAudit
    let now: @Sendable () -> Timestamp
    let logger: Logger

    /// Answers one delivery; never throws, since every fault has an answer.
    func answer(_ request: HTTPRequest, _ dialect: any GitHostDialect) async -> WebhookAnswer {
        let start = ContinuousClock.now
        let answer = await receive(request, dialect)
        metrics.count(answer, from: dialect.kind, took: .now - start)
        return answer
    }

    private func receive(_ request: HTTPRequest, _ dialect: any GitHostDialect) async -> WebhookAnswer {
        let secrets = secrets.current(for: dialect.kind)
        guard !secrets.isEmpty else {
            return .unavailable(
                "no webhook secret is configured: put the key \(dialect.kind.rawValue) into the Secret farebox-webhook")
        }
        let share = Budget.Share(of: budget)
        defer { share.giveBack() }
        let body: [UInt8]
        switch await collect(request, share) {
        case .success(let whole): body = whole
        case .failure(let refusal): return refusal.answer
        }
        guard share.take((WebhookLimits.parsedFactor - WebhookLimits.arrivingFactor) * body.count) else {
            return Self.tooMuch
        }
        let delivery = RawDelivery(headers: request.headers, body: body)
        let reading: Reading
        if body.count <= WebhookLimits.loopBytesMaximum {
            reading = read(delivery, dialect, secrets)
        } else {
            // Some milliseconds of work: not on the loop, where all the others would wait for it.
            reading = await Task.detached { read(delivery, dialect, secrets) }.value
        }
        switch reading {
        case .refused(let answer): return answer
        case .event(let event, let identifier): return await take(event, identifier, delivery, dialect.kind)
        }
    }

    // MARK: - The body

    private struct Refused: Error {
        let answer: WebhookAnswer
    }

    private static let tooMuch = WebhookAnswer.unavailable("too many deliveries at once; send it again")

    private func collect(_ request: HTTPRequest, _ share: Budget.Share) async -> Result<[UInt8], Refused> {
        let limit = WebhookLimits.bodyBytesMaximum
        if let announced = request.headers["Content-Length"].flatMap(Int.init), announced > limit {
            return .failure(Refused(answer: .tooLarge))
        }
        do {
            return .success(
                try await request.body.collect(
                    maximumBytes: limit, share: share, factor: WebhookLimits.arrivingFactor,
                    until: .now + WebhookLimits.bodyDuration))
        } catch HTTPBodyError.tooLarge {
            return .failure(Refused(answer: .tooLarge))
        } catch HTTPBodyError.noRoom {
            return .failure(Refused(answer: Self.tooMuch))
        } catch HTTPBodyError.late {
            return .failure(Refused(answer: .refused(.requestTimeout, "the body took too long to arrive")))
        } catch {
            return .failure(
                Refused(answer: .refused(.badRequest, "the body ended before its announced length")))
        }
    }

    // MARK: - The event

    private enum Reading: Sendable {
        case refused(WebhookAnswer)
        case event(GitEvent, identifier: String)
    }

    private func read(_ delivery: RawDelivery, _ dialect: any GitHostDialect, _ secrets: [[UInt8]]) -> Reading {
        if let doubt = dialect.doubt(delivery, secrets: secrets, now: now()) {
            return .refused(.refused(.unauthorized, doubt))
        }
        do throws(PayloadRefusal) {
            let identifier = try dialect.identifier(delivery)
            guard delivery.isJSON else {
                return .refused(
                    .refused(.unsupportedMediaType, "the webhook's content type must be application/json"))
            }
            return .event(try dialect.event(delivery), identifier: identifier)
        } catch {
            return .refused(.refused(.badRequest, error.reason))
        }
    }

    private func take(
        _ event: GitEvent, _ identifier: String, _ delivery: RawDelivery, _ host: GitHostKind
    ) async -> WebhookAnswer {
        // Names are each host's own.
        let name = host.rawValue + ":" + identifier
        switch event {
        case .ping, .other: return await intake.take(event, from: host, delivery: identifier)
        default: break
        }
        let known = WebhookAnswer.ignored("the delivery \(identifier) was taken before")
        guard !deliveries.contains(name) else { return known }
        do {
            if event.isRecorded, try await records.contains(name) { return known }
        } catch {
            logger.error("record of deliveries not read", ["delivery": identifier, "error": "\(error)"])
            return .unavailable("the record of deliveries cannot be read now")
        }
        let answer = await intake.take(event, from: host, delivery: identifier)
        audit.tell(answer, of: event, delivery: name, body: delivery.body)
        // What changed nothing may do so when it comes again: somebody became a customer meanwhile.
        guard answer.hasChanged else { return answer }
        deliveries.insert(name)
        if event.isRecorded {
            do {
                try await records.insert(name)
            } catch {
                // Done is done; a repetition would find it so, unless something else happened in between.
                logger.error("delivery not recorded", ["delivery": identifier, "error": "\(error)"])
            }
        }
        return answer
    }
}

extension GitEvent {
    /// Whether it is kept in the record of deliveries; pushes are remembered on their Repositories.
    fileprivate var isRecorded: Bool {
        switch self {
        case .added, .removed, .uninstalled, .suspended, .resumed, .moved, .branchChanged: true
        // A project that changed is looked at as it is now.
        case .ping, .push, .changed, .other: false
        }
    }
}

extension WebhookAnswer {
    /// Whether anything was written.
    fileprivate var hasChanged: Bool {
        switch self {
        case .noted, .changed: true
        case .ignored, .refused, .unavailable: false
        }
    }
}
