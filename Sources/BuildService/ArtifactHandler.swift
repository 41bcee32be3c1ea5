import Builds
import Glibc
import HTTP
import Telemetry

/// Answers `PUT`, `GET` and `HEAD` of `/artifacts/sha256-<hex>.tar`.
///
/// Nobody gets anything without the right token, not even whether an artifact exists.
struct ArtifactHandler: HTTPHandler {
    let folder: ArtifactFolder
    let tokens: ArtifactTokens
    let metrics: ArtifactMetrics
    private let logger = Logger(label: "artifacts")

    /// Pieces are gathered to this size before they go to disk, and read in this size.
    private static let pieceBytes = 1 << 20

    init(folder: ArtifactFolder, tokens: ArtifactTokens, metrics: ArtifactMetrics) {
        self.folder = folder
        self.tokens = tokens
        self.metrics = metrics
    }

    func handle(_ request: HTTPRequest) async -> HTTPResponse {
        let response = await answer(request)
        metrics.count(request.method, response.status)
        return response
    }

    private func answer(_ request: HTTPRequest) async -> HTTPResponse {
        guard let digest = ArtifactPath.digest(inPath: request.path) else {
            return problem(.notFound, "there is nothing at this path", request)
        }
        let token = Self.token(request.headers["Authorization"])
        do {
            switch request.method {
            case .put:
                guard tokens.isWrite(token) else { return unauthorized(request) }
                return try await store(digest, request)
            case .get, .head:
                guard tokens.opens(token, digest: digest) else { return unauthorized(request) }
                return request.method == .get ? try await fetch(digest, request) : try await look(digest, request)
            default:
                var response = problem(.methodNotAllowed, "use GET, HEAD or PUT", request)
                response.headers.set("Allow", "GET, HEAD, PUT")
                return response
            }
        } catch let error as ArtifactFolderError {
            return failed(error, request)
        } catch let error as HTTPBodyError {
            if case .tooLarge = error { return problem(.contentTooLarge, "the artifact is too large", request) }
            return problem(.badRequest, "the upload ended too early", request)
        } catch {
            return problem(.internalServerError, "the request was given up", request)
        }
    }

    private func store(_ digest: String, _ request: HTTPRequest) async throws -> HTTPResponse {
        let announced = request.headers["Content-Length"].flatMap { Int($0) } ?? 0
        guard announced <= folder.limits.artifactBytesMaximum else { throw ArtifactFolderError.tooLarge }
        let exists = try await BlockingThread.run { [folder] in
            guard folder.sizeBytes(digest: digest) != nil else { return false }
            folder.touch(digest: digest)
            return true
        }
        if exists { return HTTPResponse(.ok) }
        let upload = try await blocking { [folder] in
            try folder.sweep(incoming: announced)
            return try folder.beginUpload(digest: digest)
        }
        var buffer: [UInt8] = []
        while let piece = try await request.body.next() {
            buffer += piece
            guard buffer.count >= Self.pieceBytes else { continue }
            let full = buffer
            buffer = []
            try await blocking { try upload.write(full) }
        }
        let rest = buffer
        try await blocking {
            try upload.write(rest)
            try upload.finish()
        }
        logger.info("Stored an artifact", ["digest": digest, "request": request.requestID])
        return HTTPResponse(.created)
    }

    private func look(_ digest: String, _ request: HTTPRequest) async throws -> HTTPResponse {
        let size = try await BlockingThread.run { [folder] in
            let size = folder.sizeBytes(digest: digest)
            // Who asks is about to use it.
            if size != nil { folder.touch(digest: digest) }
            return size
        }
        guard let size else { return problem(.notFound, "this artifact is not stored", request) }
        return HTTPResponse(
            .ok, headers: Self.headers(digest),
            // HEAD: the server sends the length and none of this.
            body: .stream(length: UInt64(size)) { _ in })
    }

    private func fetch(_ digest: String, _ request: HTTPRequest) async throws -> HTTPResponse {
        guard let file = try await blocking({ [folder] in try folder.open(digest: digest).map(OpenArtifact.init) })
        else {
            return problem(.notFound, "this artifact is not stored", request)
        }
        return HTTPResponse(
            .ok, headers: Self.headers(digest),
            body: .stream(length: UInt64(file.sizeBytes)) { writer in
                var offset = 0
                while offset < file.sizeBytes {
                    let start = offset
                    let piece = try await blocking { try file.read(at: start, count: Self.pieceBytes) }
                    guard !piece.isEmpty else { throw HTTPBodyError.cut }
                    try await writer.write(piece)
                    offset += piece.count
                }
            })
    }

    private static func headers(_ digest: String) -> HTTPHeaders {
        HTTPHeaders([
            ("Content-Type", "application/x-tar"), ("ETag", "\"sha256-\(digest)\""),
            ("Cache-Control", "private, immutable"),
        ])
    }

    /// Empty unless the field says `Bearer`.
    private static func token(_ field: String?) -> String {
        guard let field, field.lowercased().hasPrefix("bearer ") else { return "" }
        return String(field.dropFirst("bearer ".count))
    }

    private func unauthorized(_ request: HTTPRequest) -> HTTPResponse {
        var response = problem(.unauthorized, "this needs the artifact's token", request)
        response.headers.set("WWW-Authenticate", "Bearer realm=\"artifacts\"")
        return response
    }

    private func failed(_ error: ArtifactFolderError, _ request: HTTPRequest) -> HTTPResponse {
        switch error {
        case .tooLarge:
            return problem(
                .contentTooLarge, "an artifact may have \(folder.limits.artifactBytesMaximum) bytes at most", request)
        case .wrongDigest(let found):
            return problem(.unprocessableContent, "the content has the digest sha256:\(found)", request)
        case .full:
            logger.error("The artifact store is full", ["request": request.requestID])
            return problem(HTTPStatus(507), "the store is full of artifacts that are in use; try again later", request)
        case .system(let call, let code):
            logger.error("The artifact store failed", ["call": call, "errno": code, "request": request.requestID])
            return problem(.internalServerError, "the store cannot use its disk", request)
        }
    }

    private func problem(_ status: HTTPStatus, _ detail: String, _ request: HTTPRequest) -> HTTPResponse {
        .problem(status, detail: detail, requestID: request.requestID)
    }

    private func blocking<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        try await BlockingThread.run { Result { try body() } }.get()
    }
}

/// An artifact that is open for reading; it stays readable even when it is swept meanwhile.
private final class OpenArtifact: Sendable {
    let sizeBytes: Int
    private let descriptor: Int32

    init(_ file: (descriptor: Int32, sizeBytes: Int)) {
        descriptor = file.descriptor
        sizeBytes = file.sizeBytes
    }

    deinit { close(descriptor) }

    func read(at offset: Int, count: Int) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            let got = pread(descriptor, buffer.baseAddress, count, off_t(offset))
            guard got >= 0 else { throw ArtifactFolderError.system("pread", code: errno) }
            initialized = got
        }
    }
}
