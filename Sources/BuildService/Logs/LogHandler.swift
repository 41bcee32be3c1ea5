import Builds
import CRDs
import ClusterAccess
import HTTP
import KubernetesClient
import KubernetesTypes
import Telemetry
import Timing

/// Answers the log API: `GET /logs/v1/…` for people, `PUT /logs/v1/…` for the operator.
///
/// Who may not read a log learns nothing of it: the answer is that of a log that does not exist.
struct LogHandler: HTTPHandler {
    let store: any LogStore
    let tokens: LogTokens
    let access: AccessDesk
    let repositories: RepositoryIndex
    let builds: BuildLogSource
    let functions: FunctionLogSource
    let metrics: LogMetrics
    let configuration: LogsConfiguration
    let logger = Logger(label: "logs")

    /// One stream may take so long: longer than any build.
    ///
    /// A client that wants more asks again.
    static let streamLimit = Duration.seconds(2 * 3600)
    /// Proxies take a silent connection for dead after 30 to 60 seconds.
    static let silenceMaximum = Duration.seconds(15)
    /// One for each branch that is an environment of its own; more are not asked for.
    private static let repositoriesMaximum = 50
    /// Stored logs are sent in pieces of this size.
    private static let pieceBytes = 64 << 10

    func handle(_ request: HTTPRequest) async -> HTTPResponse {
        var kind = "other"
        var response = await answer(request, &kind)
        metrics.count(kind, response.status)
        response.headers.set("Cache-Control", "no-store")
        response.headers.set("X-Content-Type-Options", "nosniff")
        return response
    }

    private func answer(_ request: HTTPRequest, _ kind: inout String) async -> HTTPResponse {
        guard let target = LogRequest.target(path: request.path, ownNamespace: configuration.ownNamespace) else {
            return absent(request)
        }
        switch (target, request.method) {
        case (.build(let key), .put):
            kind = "store"
            return await put(key, request)
        case (_, .get), (_, .head):
            let wanted: LogRequest
            do {
                wanted = try LogRequest(request, target: target)
            } catch {
                return problem(.badRequest, error.reason, request)
            }
            switch target {
            case .build(let key):
                kind = "build"
                return await build(key, wanted, request)
            case .function(let key):
                kind = "function"
                return await function(key, wanted, request)
            }
        default:
            var response = problem(.methodNotAllowed, "use GET", request)
            response.headers.set("Allow", "GET, HEAD")
            return response
        }
    }

    // MARK: - Storing

    private func put(_ key: LogKey, _ request: HTTPRequest) async -> HTTPResponse {
        guard tokens.isWrite(Self.bearer(request) ?? "") else { return unauthorized(request) }
        do {
            let limit = configuration.logBytesMaximum + Self.pieceBytes
            try await store.put(key, try await request.body.collect(maximumBytes: limit))
            logger.info("Stored a log", ["log": key.path, "request": request.requestID])
            return HTTPResponse(.created)
        } catch HTTPBodyError.tooLarge {
            return problem(.contentTooLarge, "the log is too large", request)
        } catch let error as LogStoreError {
            logger.error("A log could not be stored", ["log": key.path, "error": "\(error)"])
            return problem(.serviceUnavailable, "the log could not be stored", request)
        } catch {
            return problem(.badRequest, "the log ended too early", request)
        }
    }

    // MARK: - Builds

    private func build(_ key: LogKey, _ wanted: LogRequest, _ request: HTTPRequest) async -> HTTPResponse {
        guard wanted.lastNumber != Int.max else { return HTTPResponse(.noContent) }
        let mine: [Repository]
        if let token = wanted.token {
            guard tokens.opens(token, key) else { return unauthorized(request) }
            mine = repositories.repositories(of: key)
        } else {
            let namespace = repositories.namespace(of: key)
            let known = repositories.repositories(of: key).sorted { $0.metadata.name < $1.metadata.name }
            // Of a Repository that is gone, who may read all logs of the namespace may read its.
            let names: [String?] = known.isEmpty ? [nil] : known.prefix(Self.repositoriesMaximum).map(\.metadata.name)
            let wishes = names.map { AccessReview.Wish(log: "repositories", namespace: namespace, name: $0) }
            switch await permission(wishes, request) {
            case .refused(let response): return response
            case .granted(let granted):
                let names = Set(granted.compactMap(\.name))
                mine = known.filter { names.contains($0.metadata.name) }
            }
        }
        do {
            return try await log(key, of: mine, wanted, request)
        } catch let error as LogStoreError {
            logger.error("A log could not be read", ["log": key.path, "error": "\(error)"])
            return problem(.serviceUnavailable, "the store of the logs cannot be used", request)
        } catch {
            return problem(.internalServerError, "the request was given up", request)
        }
    }

    /// A build that runs is followed; else the stored log, or what the pod still has.
    private func log(
        _ key: LogKey, of repositories: [Repository], _ wanted: LogRequest, _ request: HTTPRequest
    ) async throws -> HTTPResponse {
        var pod: Pod?
        do {
            pod = try await builds.pod(key, of: repositories)
        } catch let error as KubernetesError {
            // What is stored can be read all the same.
            logger.warning("Build pods cannot be listed", ["error": "\(error)"])
        }
        if let pod, !BuildLogSource.hasEnded(pod) { return follow(pod, wanted) }
        if let bytes = try await store.get(key) { return stored(bytes, wanted) }
        return pod.map { follow($0, wanted) } ?? absent(request)
    }

    private func stored(_ log: [UInt8], _ wanted: LogRequest) -> HTTPResponse {
        stream(wanted) { sender in
            let bytes = wanted.tail.map { LogLines.tail(log, $0) } ?? log[...]
            var lines = LogLines()
            var number = 0
            var index = bytes.startIndex
            while index < bytes.endIndex {
                let end = min(index + Self.pieceBytes, bytes.endIndex)
                var finished = lines.take(Array(bytes[index..<end]))
                if end == bytes.endIndex, let last = lines.finish() { finished.append(last) }
                try await send(finished, from: wanted.tail == nil ? number + 1 : nil, wanted, sender)
                number += finished.count
                index = end
            }
            try await sender.send(wanted.format.encoded(.complete))
        }
    }

    private func follow(_ pod: Pod, _ wanted: LogRequest) -> HTTPResponse {
        stream(wanted) { sender in
            let end = try await builds.read(pod, follows: wanted.follows, tail: wanted.tail) { lines, number in
                try await send(lines, from: number, wanted, sender)
            }
            try await sender.send(wanted.format.encoded(end))
        }
    }

    private func send(_ lines: [LogLine], from first: Int?, _ wanted: LogRequest, _ sender: LogSender) async throws {
        var bytes: [UInt8] = []
        for (offset, line) in lines.enumerated() {
            let number = first.map { $0 + offset }
            if let number, number <= wanted.lastNumber { continue }
            bytes += wanted.format.encoded(line, number: number, showsTimes: wanted.showsTimes)
        }
        try await sender.send(bytes)
    }

    // MARK: - Functions

    private func function(_ key: ObjectKey, _ wanted: LogRequest, _ request: HTTPRequest) async -> HTTPResponse {
        let wish = AccessReview.Wish(log: "functions", namespace: key.namespace, name: key.name)
        if case .refused(let response) = await permission([wish], request) { return response }
        do {
            guard try await !functions.pods(key).isEmpty else { return absent(request) }
        } catch let error as KubernetesError where error.isForbidden {
            return problem(
                .serviceUnavailable, "the builder may not read pods in this namespace; see docs/logs.md", request)
        } catch {
            return problem(.serviceUnavailable, "the API server cannot be asked now", request)
        }
        return stream(wanted) { sender in
            try await functions.read(key, wanted.ofFunction) { instance, lines in
                var bytes: [UInt8] = []
                for line in lines {
                    bytes += wanted.format.encoded(
                        line, function: key.name, namespace: key.namespace, instance: instance,
                        showsTimes: wanted.showsTimes)
                }
                try await sender.send(bytes)
            }
            if wanted.format == .events { try await sender.send(wanted.format.encoded(.complete)) }
        }
    }

    // MARK: - Who may

    private enum Permission {
        case granted([AccessReview.Wish])
        case refused(HTTPResponse)
    }

    private func permission(_ wishes: [AccessReview.Wish], _ request: HTTPRequest) async -> Permission {
        guard let token = Self.bearer(request), !token.isEmpty else { return .refused(unauthorized(request)) }
        guard repositories.isComplete else {
            return .refused(problem(.serviceUnavailable, "Repositories are not known yet; try again", request))
        }
        do {
            let (answer, granted) = try await access.granted(wishes, token: token)
            switch answer {
            case .yes: return .granted(granted)
            case .no: return .refused(absent(request))
            case .unknown: return .refused(unauthorized(request))
            case .busy: return .refused(problem(.tooManyRequests, "too many requests; try again", request))
            }
        } catch {
            logger.warning("Permissions cannot be asked for", ["error": "\(error)"])
            return .refused(problem(.serviceUnavailable, "the API server cannot be asked now", request))
        }
    }

    private static func bearer(_ request: HTTPRequest) -> String? {
        guard let field = request.headers["Authorization"], field.lowercased().hasPrefix("bearer ") else { return nil }
        return String(field.dropFirst("bearer ".count))
    }

    // MARK: - Answers

    private func stream(
        _ wanted: LogRequest, _ produce: @escaping @Sendable (LogSender) async throws -> Void
    ) -> HTTPResponse {
        let headers = HTTPHeaders([
            ("Content-Type", wanted.format.contentType),
            // Reverse proxies that gather answers would hold live lines back.
            ("X-Accel-Buffering", "no"),
        ])
        return HTTPResponse(
            .ok, headers: headers,
            body: .stream { [metrics] writer in
                metrics.streamBegan()
                defer { metrics.streamEnded() }
                let sender = LogSender(writer)
                try await withDeadline(Self.streamLimit) {
                    try await withThrowingTaskGroup { group in
                        group.addTask {
                            try await produce(sender)
                            return true
                        }
                        if let sign = wanted.format.keepAlive {
                            group.addTask {
                                try await sender.keepAlive(sign, every: Self.silenceMaximum)
                                return false
                            }
                        }
                        _ = try await group.next()
                        group.cancelAll()
                    }
                }
            })
    }

    private func absent(_ request: HTTPRequest) -> HTTPResponse {
        problem(.notFound, "there is no such log, or you may not read it", request)
    }

    private func unauthorized(_ request: HTTPRequest) -> HTTPResponse {
        var response = problem(
            .unauthorized, "send a token of the cluster as Authorization: Bearer, or use a link that has not expired",
            request)
        response.headers.set("WWW-Authenticate", "Bearer realm=\"logs\"")
        return response
    }

    private func problem(_ status: HTTPStatus, _ detail: String, _ request: HTTPRequest) -> HTTPResponse {
        .problem(status, detail: detail, requestID: request.requestID)
    }
}

extension AccessReview.Wish {
    /// To read logs: the verb `get` on the subresource `log` of a Farebox resource.
    init(log resource: String, namespace: String, name: String?) {
        self.init(
            "get", group: FareboxLabel.group, resource: resource, subresource: "log", namespace: namespace, name: name)
    }
}
