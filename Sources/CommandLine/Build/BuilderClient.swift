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
    /// How often a full builder is asked again.
    var patience = Patience()

    /// How long to hold out against a builder that has no place free, or whose connection breaks.
    struct Patience: Sendable {
        /// Tries against a full builder.
        var triesMaximum = 60
        /// Tries against a builder that starts, ends, or cannot build at all.
        var startsMaximum = 4
        /// The wait where the builder names none.
        var pause = Duration.seconds(5)
        /// The longest wait that a builder may name.
        var pauseMaximum = Duration.seconds(30)
        /// Broken connections in one build.
        var breaksMaximum = 5
    }

    /// The field with the code of the body.
    static let signatureField = "X-Build-Signature"
    /// The field with the name by which a build can be found again.
    static let idField = "X-Build-Id"
    private static let streamType = "application/x-ndjson"
    /// A whole answer may not be larger: logs of builds are cut at 16 MiB.
    private static let answerBytesMaximum = 64 << 20

    /// Builds a context.
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
        let answer = try await admitted(headers, path, tell)
        guard isStream(answer) else { return try await whole(answer, tell) }
        return try await follow(answer, tell)
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

    /// Sends the context until the builder has a place for it.
    private func admitted(
        _ headers: HTTPHeaders, _ path: String, _ tell: (String) -> Void
    ) async throws -> HTTPClientStream {
        for attempt in 1... {
            let answer = try await send(.post, "/build", headers, file: path)
            let isFull = answer.status.code == 429
            let triesMaximum = isFull ? patience.triesMaximum : patience.startsMaximum
            guard isFull || answer.status.code == 503, attempt < triesMaximum else { return answer }
            let pause = pause(answer.headers)
            if attempt == 1 {
                tell(
                    isFull
                        ? "\(place.name) has no place free; waiting for one"
                        : "\(place.name) is not ready; trying again")
            }
            answer.cancel()
            // The builder said how long to stay away, or else only time frees a place.
            try await Task.sleep(for: pause)
        }
        throw CommandFailure(.failed, "\(place.name) has no place free")
    }

    private func pause(_ headers: HTTPHeaders) -> Duration {
        guard let seconds = headers["Retry-After"].flatMap({ Int($0) }), seconds >= 0 else { return patience.pause }
        return min(.seconds(min(seconds, 3600)), patience.pauseMaximum)
    }

    private func send(
        _ method: HTTPMethod, _ path: String, _ headers: HTTPHeaders, file: String? = nil
    ) async throws -> HTTPClientStream {
        do {
            return try await place.send(method, path, headers, file: file)
        } catch let error as HTTPClientError {
            throw CommandFailure(.failed, "\(place.name) cannot be reached: \(error)")
        }
    }

    // MARK: - The answer

    private func isStream(_ answer: HTTPClientStream) -> Bool {
        answer.status.isSuccess && answer.headers["Content-Type"]?.lowercased().hasPrefix(Self.streamType) == true
    }

    /// Reads an answer that comes in one piece.
    private func whole(_ answer: HTTPClientStream, _ tell: (String) -> Void) async throws -> BuildResult {
        let bytes: [UInt8]
        do {
            bytes = try await answer.collect(bytesMaximum: Self.answerBytesMaximum)
        } catch let error as HTTPClientError {
            throw CommandFailure(.failed, "the answer of \(place.name) broke off: \(error)")
        }
        guard let part = BuildResult.part(bytes, isWhole: true), !isStatus(bytes) else {
            throw Refusal.failure(answer.status.code, bytes, place.name)
        }
        for line in part.log { tell(line) }
        guard answer.status.isSuccess, part.status == .succeeded else {
            if [401, 403].contains(answer.status.code) { throw Refusal.failure(answer.status.code, bytes, place.name) }
            throw CommandFailure(.failed, "the build failed: \(part.result.error ?? "the builder does not say why")")
        }
        return part.result
    }

    /// Whether the API server itself answers, in the builder's place.
    private func isStatus(_ bytes: [UInt8]) -> Bool { Refusal.status(bytes) != nil }

    /// Reads an answer that comes line by line, and asks for the rest when it breaks off.
    private func follow(
        _ first: HTTPClientStream, _ tell: (String) -> Void
    ) async throws -> BuildResult {
        let id = first.headers[Self.idField].flatMap { Self.isID($0) ? $0 : nil }
        var answer = first
        var stream = BuildStream()
        var shown = 0
        var breaks = 0
        while true {
            do {
                while stream.result == nil, let piece = try await answer.next() {
                    for line in try stream.take(piece) { tell(line) }
                }
            } catch let error as HTTPClientError {
                tell("the connection to \(place.name) broke: \(error)")
            }
            answer.cancel()
            if let result = stream.result { return try Self.checked(result) }
            breaks += 1
            guard let id, breaks <= patience.breaksMaximum else {
                throw CommandFailure(
                    .failed, "the answer of \(place.name) ended before the build did",
                    advice: "try again: what is built already is not built twice")
            }
            shown = max(shown, stream.lines)
            answer = try await again(id, breaks)
            stream = BuildStream(seen: shown)
        }
    }

    /// Asks for a build that was begun.
    private func again(_ id: String, _ breaks: Int) async throws -> HTTPClientStream {
        // What broke the connection needs a moment to pass, longer each time.
        try await Task.sleep(for: .milliseconds(200) * (1 << min(breaks, 5)))
        let answer = try await send(.get, "/build/" + id, HTTPHeaders([("Accept", Self.streamType)]))
        guard isStream(answer) else {
            let bytes = (try? await answer.collect(bytesMaximum: Refusal.bytesMaximum)) ?? []
            throw Refusal.failure(answer.status.code, bytes, place.name)
        }
        return answer
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
