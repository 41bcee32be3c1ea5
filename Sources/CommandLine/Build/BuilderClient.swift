import Builds
import Commands
import Cryptography
import Glibc
import HTTP
import KubernetesClient

/// A client of the Function Builder API, in both of its dialects.
struct BuilderClient: Sendable {
    /// How the answer is to come.
    enum Dialect: Sendable {
        /// Line by line while it is built.
        case streaming
        /// In one piece at the end.
        case buffered
    }

    let place: any BuilderPlace
    /// What requests are signed with, white space around it taken away.
    let secret: [UInt8]
    var dialect = Dialect.streaming
    /// How long it holds out.
    var patience = BuildPersistence.Patience()

    /// The field with the code of the body.
    static let signatureField = "X-Build-Signature"
    /// The field with the name by which a build can be found again.
    static let idField = "X-Build-Id"
    private static let streamType = "application/x-ndjson"
    /// A whole answer may not be larger: logs of builds are cut at 16 MiB.
    private static let answerBytesMaximum = 64 << 20

    /// What one exchange with the builder came to.
    private enum Outcome {
        case ended(BuildResult)
        /// It has no end yet; the failure counts if nothing is done about it.
        case happened(BuildPersistence.Event, CommandFailure)
    }

    /// What was seen of a build so far.
    private struct Sight {
        /// By what it can be asked for; nil where the builder does not tell.
        var id: String?
        /// How many lines of its log were shown.
        var shown = 0
    }

    /// Builds a context, also when the builder is restarted meanwhile.
    ///
    /// - Parameters:
    ///   - path: The tar.
    ///   - tell: Gets each line of the log, and what is being waited for.
    /// - Returns: The result of a build that succeeded.
    /// - Throws: `CommandFailure`; `CancellationError`.
    func build(_ path: String, _ tell: @escaping @Sendable (String) -> Void) async throws -> BuildResult {
        let signature = try await sign(path)
        var headers = HTTPHeaders([
            ("Content-Type", "application/octet-stream"), (Self.signatureField, "sha256=" + signature),
        ])
        if dialect == .streaming { headers.add("Accept", Self.streamType) }
        var persistence = BuildPersistence(patience)
        var sight = Sight()
        var outcome = try await exchange(try await sent(headers, path), &persistence, &sight, tell)
        while true {
            switch outcome {
            case .ended(let result): return try Self.checked(result)
            case .happened(let event, let failure):
                let step = persistence.next(after: event, canAsk: sight.id != nil)
                if step != .giveUp, let word = persistence.word(on: event, by: place.name) { tell(word) }
                switch step {
                case .giveUp: throw failure
                case .send(let pause):
                    // The builder said how long to stay away, or else only time frees a place or brings it back.
                    try await Task.sleep(for: pause)
                    // A build that nobody knows any more begins anew, and so does its log.
                    if event == .forgotten { sight = Sight() }
                    outcome = try await exchange(try await sent(headers, path), &persistence, &sight, tell)
                case .ask(let pause):
                    // What broke the connection needs a moment to pass.
                    try await Task.sleep(for: pause)
                    outcome = try await exchange(try await asked(sight.id ?? ""), &persistence, &sight, tell)
                }
            }
        }
    }

    /// The code of a file's bytes, in hex.
    private func sign(_ path: String) async throws -> String {
        let secret = secret
        return try await BlockingThread.run { () -> Result<String, CommandFailure> in
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { return .failure(CommandFailure(.failed, "\(path) cannot be read")) }
            defer { close(descriptor) }
            let hasher = HMACHasher(key: secret)
            while true {
                var got = 0
                let piece = [UInt8](unsafeUninitializedCapacity: 1 << 20) { buffer, count in
                    got = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
                    count = max(0, got)
                }
                guard got >= 0 else { return .failure(CommandFailure(.failed, "\(path) cannot be read")) }
                guard !piece.isEmpty else { return .success(Hex.encode(hasher.finalize())) }
                hasher.update(piece)
            }
        }.get()
    }

    // MARK: - The request

    private func sent(_ headers: HTTPHeaders, _ path: String) async throws -> Result<HTTPClientStream, HTTPClientError>
    {
        try await send(.post, "/build", headers, file: path)
    }

    private func asked(_ id: String) async throws -> Result<HTTPClientStream, HTTPClientError> {
        try await send(.get, "/build/" + id, HTTPHeaders([("Accept", Self.streamType)]))
    }

    private func send(
        _ method: HTTPMethod, _ path: String, _ headers: HTTPHeaders, file: String? = nil
    ) async throws -> Result<HTTPClientStream, HTTPClientError> {
        do {
            return .success(try await place.send(method, path, headers, file: file))
        } catch let error as HTTPClientError {
            return .failure(error)
        } catch KubernetesError.transport(let error, _) {
            return .failure(error)
        }
    }

    // MARK: - The answer

    /// Reads an answer as far as it goes.
    private func exchange(
        _ result: Result<HTTPClientStream, HTTPClientError>, _ persistence: inout BuildPersistence,
        _ sight: inout Sight, _ tell: (String) -> Void
    ) async throws -> Outcome {
        let answer: HTTPClientStream
        switch result {
        case .success(let stream): answer = stream
        case .failure(let error):
            let failure = CommandFailure(.failed, "\(place.name) cannot be reached: \(error)")
            if case .connectionLost = error { return .happened(.away(nil), failure) }
            return .happened(.unreachable, failure)
        }
        if isStream(answer) {
            persistence.admitted()
            return try await follow(answer, &sight, tell)
        }
        if answer.status.isSuccess { persistence.admitted() }
        return try await whole(answer, wasAdmitted: persistence.isAdmitted, tell)
    }

    private func isStream(_ answer: HTTPClientStream) -> Bool {
        answer.status.isSuccess && answer.headers["Content-Type"]?.lowercased().hasPrefix(Self.streamType) == true
    }

    /// Reads an answer that comes in one piece.
    private func whole(
        _ answer: HTTPClientStream, wasAdmitted: Bool, _ tell: (String) -> Void
    ) async throws -> Outcome {
        let code = answer.status.code
        let bytes: [UInt8]
        do {
            bytes = try await answer.collect(bytesMaximum: Self.answerBytesMaximum)
        } catch let error as HTTPClientError {
            throw CommandFailure(.failed, "the answer of \(place.name) broke off: \(error)")
        }
        let part = isStatus(bytes) ? nil : BuildResult.part(bytes, isWhole: true)
        let refusal = Refusal.failure(code, bytes, place.name)
        switch code {
        case _ where part?.result.isInterrupted == true: return .happened(.interrupted, refusal)
        case 429: return .happened(.full(Self.wait(answer.headers)), refusal)
        case 502, 503, 504: return .happened(.away(Self.wait(answer.headers)), refusal)
        case 404 where wasAdmitted && !isStatus(bytes): return .happened(.forgotten, refusal)
        default: break
        }
        guard let part else { throw refusal }
        for line in part.log { tell(line) }
        guard answer.status.isSuccess, part.status == .succeeded else {
            if [401, 403].contains(code) { throw refusal }
            throw CommandFailure(.failed, "the build failed: \(part.result.error ?? "the builder does not say why")")
        }
        return .ended(part.result)
    }

    /// How long a builder wants to be left alone.
    private static func wait(_ headers: HTTPHeaders) -> Duration? {
        headers["Retry-After"].flatMap { Int($0) }.flatMap { $0 >= 0 ? .seconds(min($0, 3600)) : nil }
    }

    /// Whether the API server itself answers, in the builder's place.
    private func isStatus(_ bytes: [UInt8]) -> Bool { Refusal.status(bytes) != nil }

    /// Reads an answer that comes line by line.
    private func follow(
        _ answer: HTTPClientStream, _ sight: inout Sight, _ tell: (String) -> Void
    ) async throws -> Outcome {
        if let id = answer.headers[Self.idField], Self.isID(id) { sight.id = id }
        var stream = BuildStream(seen: sight.shown)
        do {
            while stream.result == nil, let piece = try await answer.next() {
                for line in try stream.take(piece) { tell(line) }
            }
        } catch let error as HTTPClientError {
            tell("the connection to \(place.name) broke: \(error)")
        }
        answer.cancel()
        sight.shown = max(sight.shown, stream.lines)
        guard let result = stream.result else {
            return .happened(
                .broke,
                CommandFailure(
                    .failed, "the answer of \(place.name) ended before the build did",
                    advice: "try again: what is built already is not built twice"))
        }
        guard result.isInterrupted else { return .ended(result) }
        return .happened(
            .interrupted, CommandFailure(.failed, "the build failed: \(result.error ?? "it was interrupted")"))
    }

    private static func checked(_ result: BuildResult) throws(CommandFailure) -> BuildResult {
        guard let error = result.error else { return result }
        throw CommandFailure(.failed, "the build failed: \(error)")
    }

    /// A name that can stand in a path as it is.
    private static func isID(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count)
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
    }
}
