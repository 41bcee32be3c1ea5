import Builds
import ClusterAccess
import Cryptography
import Glibc
import HTTP
import JSON
import Synchronization
import Telemetry
import Timing

/// Answers the Function Builder API: `POST /build`, `GET /build/<id>`, `GET /publickey`, `GET /healthz`, `GET /ready`.
///
/// Nothing of a request is looked at before its signature is found good. A stream always ends with `success` or `failed`,
/// since clients take a stream without an end for a success.
struct BuildHandler: HTTPHandler {
    let configuration: BuildAPIConfiguration
    let folder: ArtifactFolder
    let desk: BuildDesk
    let follower: BuildFollower
    let metrics: BuildAPIMetrics
    /// Bytes that requests may have on the disk until their builds begin, over all of them.
    ///
    /// A request's signature is known only once all of it is there, so strangers could fill the disk before that. What is
    /// counted is what was written and not what was announced: who only says that much will come takes nobody's room.
    let uploads: Budget
    private let secretKeys: BuildSecretKeyFile
    private let logger = Logger(label: "builder-api")

    /// Proxies take a silent connection for dead after 30 to 60 seconds.
    static let silenceMaximum = Duration.seconds(15)
    /// The paths that clients post to: some send to the address they were given, without a path.
    private static let buildPaths: Set<String> = ["/", "/build", "/build/", "/build/build"]
    private static let idField = "X-Build-Id"
    private static let keyBytesMaximum = 4096
    /// What a request has in memory before it is written: 256 connections have 32 MiB.
    private static let pieceBytes = 128 << 10
    /// The disk has room for so many requests of the largest size, and for what is made of them; more of smaller ones.
    private static let uploadsAtOnce = 4
    /// One request has this long: 256 MiB at 4 Mbit/s.
    private static let uploadLimit = Duration.seconds(600)

    init(
        configuration: BuildAPIConfiguration, folder: ArtifactFolder, desk: BuildDesk, follower: BuildFollower,
        metrics: BuildAPIMetrics
    ) {
        self.configuration = configuration
        let places = 2 * Self.uploadsAtOnce
        uploads = Budget(places * min(configuration.bodyBytesMaximum, .max / places))
        secretKeys = BuildSecretKeyFile(path: configuration.buildSecretKeyPath)
        self.folder = folder
        self.desk = desk
        self.follower = follower
        self.metrics = metrics
    }

    func handle(_ request: HTTPRequest) async -> HTTPResponse {
        var path = "other"
        var response = await answer(request, &path)
        metrics.count(path, response.status)
        response.headers.set("Cache-Control", "no-store")
        response.headers.set("X-Content-Type-Options", "nosniff")
        return response
    }

    private func answer(_ request: HTTPRequest, _ path: inout String) async -> HTTPResponse {
        switch request.path {
        case "/healthz":
            path = "healthz"
            return request.method == .get ? .text(.ok, "OK") : notAllowed("GET")
        case "/ready":
            path = "ready"
            return request.method == .get ? await ready() : notAllowed("GET")
        case "/publickey":
            path = "publickey"
            return request.method == .get ? await publicKey() : notAllowed("GET")
        case let text where Self.buildPaths.contains(text):
            path = "build"
            return request.method == .post ? await build(request) : notAllowed("POST")
        case let text where text.hasPrefix("/build/") && BuildTask.isID(text.dropFirst("/build/".count)):
            path = "build by id"
            guard request.method == .get else { return notAllowed("GET") }
            return resume(String(text.dropFirst("/build/".count)), request)
        default: return refused(BuildRefusal(.notFound, "there is nothing at this path; post a build to /build"))
        }
    }

    private func ready() async -> HTTPResponse {
        guard desk.isReady.value, !desk.isClosing.value else { return .text(.serviceUnavailable, "not ready\n") }
        do {
            _ = try await readSecretKeys()
        } catch {
            return .text(.serviceUnavailable, "\(error)\n")
        }
        return desk.isFull ? busy() : .text(.ok, "OK")
    }

    // MARK: - A new build

    private func build(_ request: HTTPRequest) async -> HTTPResponse {
        let begun = Timestamp.now
        var isSigned = false
        do {
            let task = try await receive(request, isSigned: &isSigned)
            guard let build = desk.submit(task) else { return busy() }
            logger.info(
                "A build was asked for",
                ["build": build.id, "image": task.order.requestedImage, "request": request.requestID])
            return Self.wantsStream(request) ? stream(build, since: begun) : await whole(build, since: begun)
        } catch let refusal as BuildRefusal {
            logger.info(
                "A build was refused",
                ["status": refusal.status.code, "reason": refusal.message, "request": request.requestID])
            if refusal.status == .tooManyRequests { return busy() }
            // Clients that stream show nothing of any other status but its number.
            guard isSigned, Self.wantsStream(request) else { return refused(refusal) }
            let result = BuildResult(image: "", outcome: .failure(refusal.message), duration: Timestamp.now - begun)
            return HTTPResponse(.ok, headers: Self.streamHeaders, body: .bytes(BuildAnswer.end(result)))
        } catch {
            return refused(BuildRefusal(.internalServerError, "the request was given up"))
        }
    }

    /// Reads a request to the disk, checks it, and stores its context.
    private func receive(_ request: HTTPRequest, isSigned: inout Bool) async throws -> BuildTask {
        guard !desk.isClosing.value, desk.isReady.value else {
            throw BuildRefusal(.serviceUnavailable, "the builder is starting or ending; try again")
        }
        let key = try await key()
        let signature = try BuildSignature(request.headers["X-Build-Signature"])
        let announced = request.headers["Content-Length"].flatMap { Int($0) } ?? 0
        guard (0...configuration.bodyBytesMaximum).contains(announced) else { throw tooLarge }
        guard !desk.isFull else { throw BuildRefusal(.tooManyRequests, "all places are taken") }
        let incoming = try await incoming(request, key: key)
        guard signature.matches(incoming.code) else {
            throw BuildRefusal(
                .unauthorized,
                "the signature is not that of this body with this builder's payload secret; check the secret's file")
        }
        isSigned = true
        let (checked, secrets) = try await check(incoming)
        return BuildTask(order: checked.order, contextDigest: checked.digest, secrets: secrets, key: key)
    }

    private func publicKey() async -> HTTPResponse {
        do {
            guard let keys = try await readSecretKeys() else {
                throw BuildRefusal(
                    .notFound,
                    "this builder has no key for build secrets; the administrator makes the Secret "
                        + "farebox-builder-key")
            }
            return .json(.ok, keys.publicKey)
        } catch {
            return refused(error as? BuildRefusal ?? BuildRefusal(.serviceUnavailable, "\(error)"))
        }
    }

    private func readSecretKeys() async throws -> BuildSecretKeys? {
        try await blocking { try secretKeys.read() }
    }

    private var tooLarge: BuildRefusal {
        BuildRefusal(
            .contentTooLarge,
            "the request is larger than \(configuration.bodyBytesMaximum) bytes; leave out what the "
                + "build does not need")
    }

    /// The key that clients sign with, without the spaces around it: a file often ends in a newline.
    private func key() async throws -> [UInt8] {
        let path = configuration.payloadSecretPath
        let found: [UInt8] = try await BlockingThread.run {
            guard let file = fopen(path, "re") else { return [] }
            defer { fclose(file) }
            var bytes = [UInt8](repeating: 0, count: Self.keyBytesMaximum)
            let count = fread(&bytes, 1, bytes.count, file)
            let isSpace: (UInt8) -> Bool = { [0x20, 0x09, 0x0A, 0x0B, 0x0C, 0x0D].contains($0) }
            var key = bytes[..<count].drop(while: isSpace)
            while let last = key.last, isSpace(last) { key.removeLast() }
            return Array(key)
        }
        guard !found.isEmpty else {
            throw BuildRefusal(
                .serviceUnavailable,
                "this builder takes no builds: it has no payload secret; the administrator makes the Secret "
                    + "farebox-builder-payload with the key payload-secret")
        }
        return found
    }

    private func incoming(_ request: HTTPRequest, key: [UInt8]) async throws -> IncomingBuild {
        do {
            let (folder, bytesMaximum, uploads) = (folder, configuration.bodyBytesMaximum, uploads)
            let incoming = try await blocking {
                try IncomingBuild(path: folder.temporaryPath(), key: key, bytesMaximum: bytesMaximum, room: uploads)
            }
            try await withDeadline(Self.uploadLimit) {
                var buffer: [UInt8] = []
                while let piece = try await request.body.next() {
                    buffer += piece
                    guard buffer.count >= Self.pieceBytes else { continue }
                    let full = buffer
                    buffer = []
                    try await blocking { try incoming.write(full) }
                }
                let rest = buffer
                try await blocking { try incoming.write(rest) }
            }
            return incoming
        } catch {
            throw refusal(error)
        }
    }

    /// Checks a request on disk, and takes its context into the store.
    private func check(_ incoming: IncomingBuild) async throws -> (BuildArchive.Checked, [String: [UInt8]]) {
        let (folder, rules, secretKeys) = (folder, configuration.rules, secretKeys)
        let limits = BuildArchive.Limits(
            entriesMaximum: configuration.entriesMaximum, expandedBytesMaximum: configuration.expandedBytesMaximum)
        do {
            return try await blocking {
                let target = folder.temporaryPath()
                // Renamed by then when all is well.
                defer { unlink(target) }
                let checked = try BuildArchive.rewrite(
                    incoming.path, to: target, rules: rules, limits: limits, share: incoming.share)
                var secrets: [String: [UInt8]] = [:]
                if let sealed = checked.sealedSecrets {
                    guard let keys = try secretKeys.read() else {
                        throw BuildRefusal(
                            .badRequest, "this builder has no key to open \(BuildArchive.secretsName) with")
                    }
                    secrets = try keys.open(sealed)
                }
                guard checked.sizeBytes <= folder.limits.artifactBytesMaximum else {
                    throw ArtifactFolderError.tooLarge
                }
                try folder.sweep(incoming: checked.sizeBytes)
                try folder.adopt(target, digest: checked.digest)
                return (checked, secrets)
            }
        } catch {
            throw refusal(error)
        }
    }

    private func refusal(_ error: any Error) -> any Error {
        switch error {
        case ArtifactFolderError.tooLarge, HTTPBodyError.tooLarge: return tooLarge
        case is DeadlineExceeded:
            return BuildRefusal(.requestTimeout, "the request took longer than \(Self.uploadLimit.goStyle) to come")
        case let error as BuildSecretKeyError: return BuildRefusal(.serviceUnavailable, error.description)
        case HTTPBodyError.cut: return BuildRefusal(.badRequest, "the request ended too early")
        case ArtifactFolderError.full:
            logger.error("The builder's disk is full")
            return BuildRefusal(HTTPStatus(507), "the builder's disk is full of files in use; try again later")
        case let error as ArtifactFolderError:
            logger.error("The builder cannot use its disk", ["error": "\(error)"])
            return BuildRefusal(.internalServerError, "the builder cannot use its disk")
        default: return error
        }
    }

    private func blocking<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        try await BlockingThread.run { Result { try body() } }.get()
    }

    // MARK: - Answers

    private static func wantsStream(_ request: HTTPRequest) -> Bool {
        request.headers.values(for: "Accept").contains { $0.lowercased().contains("application/x-ndjson") }
    }

    private func resume(_ id: String, _ request: HTTPRequest) -> HTTPResponse {
        guard let build = desk.find(id) else {
            return refused(
                BuildRefusal(.notFound, "there is no build of this id, or it ended too long ago; send it again"))
        }
        if Self.wantsStream(request) { return stream(build, since: build.since) }
        if let result = build.result { return object(result, build, log: []) }
        let present = BuildAnswer.present(image: build.task.order.requestedImage, seconds: build.age.inSeconds)
        var response = HTTPResponse.json(.accepted, present)
        response.headers.set(Self.idField, id)
        return response
    }

    /// Waits for the end and sends one object.
    private func whole(_ build: OngoingBuild, since begun: Timestamp) async -> HTTPResponse {
        let log = Mutex(KeptLog())
        do {
            var result = try await untilClosing {
                try await follower.follow(build) { lines in log.withLock { $0.take(lines) } }
            }
            guard result != nil else { return closing(build) }
            result?.duration = Timestamp.now - begun
            return object(result ?? Self.interrupted(build, begun), build, log: log.withLock { $0.finish() })
        } catch {
            return closing(build)
        }
    }

    private func object(_ result: BuildResult, _ build: OngoingBuild, log: [String]) -> HTTPResponse {
        var response = HTTPResponse.json(
            result.isSuccess ? .ok : .internalServerError, BuildAnswer.whole(result, log: log))
        response.headers.set(Self.idField, build.id)
        return response
    }

    private func closing(_ build: OngoingBuild) -> HTTPResponse {
        var response = HTTPResponse.json(
            .serviceUnavailable, BuildAnswer.whole(Self.interrupted(build, build.since), log: []))
        response.headers.set(Self.idField, build.id)
        return response
    }

    private static func interrupted(_ build: OngoingBuild, _ begun: Timestamp) -> BuildResult {
        BuildResult(
            image: build.task.order.requestedImage,
            outcome: .failure("the builder is being restarted; what runs goes on, so send it again and it is found"),
            duration: Timestamp.now - begun, isInterrupted: true)
    }

    private func stream(_ build: OngoingBuild, since begun: Timestamp) -> HTTPResponse {
        var headers = Self.streamHeaders
        headers.set(Self.idField, build.id)
        return HTTPResponse(
            .ok, headers: headers,
            body: .stream { writer in
                let answer = AnswerStream(LogSender(writer))
                try await withThrowingTaskGroup { group in
                    group.addTask {
                        var result: BuildResult
                        do {
                            result =
                                try await untilClosing {
                                    try await follower.follow(build) { lines in
                                        try await answer.send(
                                            BuildAnswer.progress(lines, seconds: (Timestamp.now - begun).inSeconds))
                                    }
                                } ?? Self.interrupted(build, begun)
                        } catch HTTPBodyError.cut {
                            throw HTTPBodyError.cut
                        } catch {
                            result = Self.interrupted(build, begun)
                        }
                        result.duration = Timestamp.now - begun
                        try await answer.end(BuildAnswer.end(result))
                    }
                    group.addTask {
                        while true {
                            // What it waits for is that time goes by: a sign of life, never an empty line.
                            try await Task.sleep(for: Self.silenceMaximum)
                            try await answer.send(
                                BuildAnswer.progress([], seconds: (Timestamp.now - begun).inSeconds))
                        }
                    }
                    _ = try await group.next()
                    group.cancelAll()
                }
            })
    }

    /// Runs something until it ends or the process is about to.
    ///
    /// - Returns: nil when the process is about to end.
    private func untilClosing<R: Sendable>(_ body: @escaping @Sendable () async throws -> R) async throws -> R? {
        try await withThrowingTaskGroup(of: R?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                _ = try await desk.isClosing.wait { $0 }
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }

    private static let streamHeaders = HTTPHeaders([
        ("Content-Type", "application/x-ndjson"),
        // Reverse proxies that gather answers would hold live lines back.
        ("X-Accel-Buffering", "no"),
    ])

    private func refused(_ refusal: BuildRefusal) -> HTTPResponse {
        let result = BuildResult(image: "", outcome: .failure(refusal.message), duration: .zero)
        return .json(refusal.status, BuildAnswer.whole(result, log: []))
    }

    /// As the limiter of OpenFaaS' watchdog says it.
    private func busy() -> HTTPResponse {
        var response = HTTPResponse.text(
            .tooManyRequests,
            "Concurrent request limit exceeded. Max concurrent requests: \(configuration.inflightMaximum)\n")
        response.headers.set("X-OpenFaaS-Internal", "faas-middleware")
        response.headers.set("Retry-After", "5")
        return response
    }

    private func notAllowed(_ method: String) -> HTTPResponse {
        var response = refused(BuildRefusal(.methodNotAllowed, "use \(method)"))
        response.headers.set("Allow", method)
        return response
    }
}

/// Sends the lines of one answer; after the last one nothing more.
private actor AnswerStream {
    private let sender: LogSender
    private var isEnded = false

    init(_ sender: LogSender) { self.sender = sender }

    func send(_ lines: [[UInt8]]) async throws {
        for line in lines where !isEnded { try await sender.send(line) }
    }

    func end(_ line: [UInt8]) async throws {
        guard !isEnded else { return }
        isEnded = true
        try await sender.send(line)
    }
}
