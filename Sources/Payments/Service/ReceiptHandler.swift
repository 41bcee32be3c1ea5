import HTTP
import JSON
import Timing

/// Takes receipts over HTTP: `POST /verify` as its contract has it to the byte, and many at once at `POST /verify/batch`.
struct ReceiptHandler: Sendable {
    let desk: ReceiptDesk
    let flights: FlightLimit
    let metrics: PaymentsMetrics
    let now: @Sendable () -> Timestamp

    /// The length of a receipt in base64; the contract takes no byte more, not even a line feed.
    static let receiptBytesMaximum = 80
    /// Receipts in one batch.
    static let receiptsMaximum = 1000
    /// Each receipt with quotes, comma and some white space; and what is around them.
    static let batchBytesMaximum = receiptsMaximum * (receiptBytesMaximum + 16) + 1024
    private static let tooLarge = "request entity too large"
    /// What went wrong with the store is for the log, not for payers.
    private static let unavailable = "the ledger cannot be used now"

    /// Answers `POST /verify`.
    func verify(_ request: HTTPRequest) async -> HTTPResponse {
        let body: [UInt8]
        switch await Self.body(request, bytesMaximum: Self.receiptBytesMaximum) {
        case .success(let bytes): body = bytes
        case .failure(.tooLarge): return .text(.contentTooLarge, Self.tooLarge)
        case .failure(.cut): return .text(.badRequest, ReceiptError.malformed.contractText)
        }
        guard flights.enter() else { return Self.busy(.seconds(1)) }
        defer { flights.leave() }
        let outcome = await desk.submit(body, now: now())
        metrics.receipt(outcome)
        switch outcome {
        case .credited(let credit):
            return .text(.ok, JSONWriter().string(.object(Self.members(credit))))
        case .refused(let error): return .text(.badRequest, error.contractText)
        case .busy(let retryAfter): return Self.busy(retryAfter)
        case .unavailable: return .text(.conflict, Self.unavailable)
        }
    }

    /// Answers `POST /verify/batch`: `{"receipts": ["…"]}` with `{"results": [{"status": 200, …}]}`, in the same order.
    ///
    /// Each result has the status and the content that ``verify(_:)`` would have answered.
    func verifyBatch(_ request: HTTPRequest) async -> HTTPResponse {
        let body: [UInt8]
        switch await Self.body(request, bytesMaximum: Self.batchBytesMaximum) {
        case .success(let bytes): body = bytes
        case .failure(.tooLarge):
            return Self.problem(.contentTooLarge, "at most \(Self.batchBytesMaximum) bytes are taken", request)
        case .failure(.cut): return Self.problem(.badRequest, "the content ended too early", request)
        }
        let limits = JSONReader.Limits(bytesMaximum: Self.batchBytesMaximum, depthMaximum: 4)
        guard let value = try? JSONReader(limits: limits).parse(body), let members = value.objectValue,
            members.keys == ["receipts"], let elements = members["receipts"]?.arrayValue
        else { return Self.problem(.badRequest, #"send {"receipts": ["<base64>", …]}"#, request) }
        let texts = elements.compactMap(\.stringValue).map { Array($0.utf8) }
        guard texts.count == elements.count, texts.count <= Self.receiptsMaximum else {
            return Self.problem(
                .badRequest, "receipts are texts, and at most \(Self.receiptsMaximum) at once", request)
        }
        guard flights.enter() else { return Self.busy(.seconds(1)) }
        defer { flights.leave() }
        return await results(of: texts)
    }

    private func results(of texts: [[UInt8]]) async -> HTTPResponse {
        let fitting = texts.filter { $0.count <= Self.receiptBytesMaximum }
        var outcomes = await desk.submit(fitting, now: now())[...]
        for outcome in outcomes { metrics.receipt(outcome) }
        let delays = outcomes.compactMap { outcome in
            if case .busy(let retryAfter) = outcome { retryAfter } else { nil }
        }
        if let delay = delays.max(), delays.count == outcomes.count { return Self.busy(delay) }
        let results = texts.map { text in
            guard text.count <= Self.receiptBytesMaximum, let outcome = outcomes.popFirst() else {
                return Self.result(.contentTooLarge, Self.tooLarge)
            }
            return Self.result(outcome)
        }
        return .json(.ok, ["results": .array(results)])
    }

    // MARK: - Answers

    /// What a receipt brought: the amount in decimal digits, since it may leave the numbers that JavaScript has.
    private static func members(_ credit: StreamCredit) -> JSONObject {
        var members: JSONObject = [
            "amount": .string(String(credit.amount)), "spspEndpoint": .string(credit.connection.endpoint),
        ]
        if let identifier = credit.connection.identifier { members["id"] = .string(identifier) }
        return members
    }

    private static func result(_ outcome: ReceiptOutcome) -> JSONValue {
        switch outcome {
        case .credited(let credit):
            var members = members(credit)
            members["status"] = 200
            members["credited"] = .bool(credit.isCredited)
            return .object(members)
        case .refused(let error): return result(.badRequest, error.contractText)
        case .busy: return result(.serviceUnavailable, unavailable)
        case .unavailable: return result(.conflict, unavailable)
        }
    }

    private static func result(_ status: HTTPStatus, _ error: String) -> JSONValue {
        ["status": .integer(Int64(status.code)), "error": .string(error)]
    }

    private static func busy(_ retryAfter: Duration) -> HTTPResponse {
        var response = HTTPResponse.text(.serviceUnavailable, unavailable)
        response.headers.set("Retry-After", retryAfter.wholeSeconds)
        return response
    }

    private static func problem(_ status: HTTPStatus, _ detail: String, _ request: HTTPRequest) -> HTTPResponse {
        .problem(status, detail: detail, requestID: request.requestID)
    }

    private enum BodyFailure: Error {
        case tooLarge
        case cut
    }

    private static func body(_ request: HTTPRequest, bytesMaximum: Int) async -> Result<[UInt8], BodyFailure> {
        do {
            return .success(try await request.body.collect(maximumBytes: bytesMaximum))
        } catch HTTPBodyError.tooLarge {
            return .failure(.tooLarge)
        } catch {
            return .failure(.cut)
        }
    }
}
