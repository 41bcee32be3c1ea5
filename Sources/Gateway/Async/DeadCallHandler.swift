import AsyncCalls
import Cryptography
import Glibc
import HTTP
import JSON
import Telemetry
import Timing

/// Lists, shows, replays and drops calls that were put away, for whoever has the token: `/async/…` on the internal port.
///
/// - `GET /async/dead?after=<cursor>&limit=<n>`: a page, oldest first.
/// - `GET /async/dead/<id>`: one with its fields and content.
/// - `POST /async/dead/<id>`: it is made after all.
/// - `DELETE /async/dead/<id>`: it is forgotten.
/// - `GET /async/counts`: how much there is.
struct DeadCallHandler: HTTPHandler {
    /// What their paths begin with.
    static let prefix = "/async/"
    private static let pageMaximum = 500
    /// Shorter tokens could be guessed.
    private static let tokenBytesMinimum = 16

    let store: any CallStore
    let tokenPath: String
    /// Told the lane of each call that waits again.
    let wake: @Sendable (CallLane) -> Void

    func handle(_ request: HTTPRequest) async -> HTTPResponse {
        guard isAdmitted(request.headers["Authorization"]) else {
            var response = problem(request, .unauthorized, "The token of async.tokenPath opens this.")
            response.headers["WWW-Authenticate"] = "Bearer"
            return response
        }
        do throws(CallStoreError) {
            return try await answer(request)
        } catch {
            return problem(request, .serviceUnavailable, error.description)
        }
    }

    private func answer(_ request: HTTPRequest) async throws(CallStoreError) -> HTTPResponse {
        let parts = request.path.dropFirst(Self.prefix.count).split(separator: "/", omittingEmptySubsequences: false)
            .map(String.init)
        switch (request.method, parts.first, parts.count) {
        case (.get, "counts", 1):
            let counts = try await store.counts()
            return .json(.ok, ["waiting": .integer(Int64(counts.waiting)), "dead": .integer(Int64(counts.dead))])
        case (.get, "dead", 1):
            return try await list(request)
        case (.get, "dead", 2):
            guard let dead = try await store.dead(id: parts[1]) else { return none(request) }
            return .json(.ok, .object(DeadCallReport.whole(dead)))
        case (.post, "dead", 2):
            guard let lane = try await store.replay(id: parts[1]) else { return none(request) }
            wake(lane)
            return .json(.accepted, ["id": .string(parts[1])])
        case (.delete, "dead", 2):
            guard try await store.drop(id: parts[1]) else { return none(request) }
            return .json(.ok, ["id": .string(parts[1])])
        case (_, "dead", 1...2), (_, "counts", 1):
            return problem(request, .methodNotAllowed, "This is not what can be done here.")
        default:
            return none(request)
        }
    }

    private func list(_ request: HTTPRequest) async throws(CallStoreError) -> HTTPResponse {
        var after: UInt64?
        var limit = Self.pageMaximum
        for pair in (request.query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, let number = UInt64(parts[1]) else { continue }
            switch parts[0] {
            case "after": after = number
            case "limit": limit = min(max(1, Int(clamping: number)), Self.pageMaximum)
            default: break
            }
        }
        let page = try await store.dead(after: after, limit: limit)
        return .json(
            .ok,
            [
                "calls": .array(page.map { .object(DeadCallReport.line($0)) }),
                "next": page.count == limit ? page.last.map { JSONValue($0.cursor) } ?? .null : .null,
            ])
    }

    private func none(_ request: HTTPRequest) -> HTTPResponse {
        problem(request, .notFound, "There is no such call.")
    }

    private func problem(_ request: HTTPRequest, _ status: HTTPStatus, _ detail: String) -> HTTPResponse {
        .problem(status, detail: detail, requestID: request.requestID)
    }

    /// Whether a field `Authorization` carries one of the lines of the token's file, which is read each time: people ask
    /// seldom, and Secrets change.
    private func isAdmitted(_ field: String?) -> Bool {
        guard let field, field.prefix(7).lowercased() == "bearer ", let file = fopen(tokenPath, "re") else {
            return false
        }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = fread(&bytes, 1, bytes.count, file)
        let given = Array(field.dropFirst(7).utf8)
        return String(decoding: bytes[..<count], as: UTF8.self).split(whereSeparator: \.isNewline)
            .map { Array($0.utf8) }.filter { $0.count >= Self.tokenBytesMinimum }
            .reduce(false) { constantTimeEquals(given, $1) || $0 }
    }
}

/// How a call that was put away is told.
enum DeadCallReport {
    /// Fields that nobody needs to see to judge a call.
    private static let secrets: Set<String> = ["authorization"]

    /// What a list says of it.
    static func line(_ dead: DeadCall) -> JSONObject {
        [
            "id": .string(dead.call.id), "callId": .string(dead.call.callID),
            "kind": .string(dead.call.lane.kind.rawValue), "namespace": .string(dead.call.lane.namespace),
            "function": .string(dead.call.lane.name), "method": .string(dead.call.method),
            "target": .string(dead.call.target), "bytes": .integer(Int64(dead.call.body.count)),
            "attempts": .integer(Int64(dead.attempts)), "reason": .string(dead.reason),
            "acceptedAt": .string(dead.call.acceptedAt.rfc3339()), "diedAt": .string(dead.diedAt.rfc3339()),
        ]
    }

    /// All of it; content that is no text in base64.
    static func whole(_ dead: DeadCall) -> JSONObject {
        var document = line(dead)
        document["headers"] = .array(
            dead.call.headers.map { field in
                let isSecret = secrets.contains(field.name.lowercased())
                return ["name": .string(field.name), "value": .string(isSecret ? "…" : field.value)]
            })
        document["callbackUrl"] = dead.call.callbackURL.map { .string($0) }
        if let text = String(validating: dead.call.body, as: UTF8.self) {
            document["body"] = .string(text)
        } else {
            document["bodyBase64"] = .string(Base64.encode(dead.call.body))
        }
        return document
    }
}
