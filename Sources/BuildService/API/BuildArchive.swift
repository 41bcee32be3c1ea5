import Archive
import Builds
import Cryptography
import Glibc
import HTTP

/// Turns the tar of a request into the tar that a build gets.
///
/// It is read twice, since what says how to build may come last. What is written depends on files, names and order alone,
/// not on times and owners, so that the same folder sent twice is one build. `.dockerignore` is applied here, since
/// BuildKit does not do it for a remote context. Blocks.
struct BuildArchive {
    /// How much a request may hold.
    struct Limits: Sendable, Hashable {
        var entriesMaximum: Int
        var expandedBytesMaximum: Int

        var archive: ArchiveLimits {
            ArchiveLimits(
                entriesMaximum: entriesMaximum, fileBytesMaximum: Int64(expandedBytesMaximum),
                totalBytesMaximum: Int64(expandedBytesMaximum))
        }
    }

    /// A request that was found good.
    struct Checked: Sendable, Hashable {
        let order: BuildOrder
        /// The content of ``secretsName``, sealed; nil when there is none.
        let sealedSecrets: [UInt8]?
        /// SHA-256 of the tar that was written, 64 hex digits.
        let digest: String
        let sizeBytes: Int
    }

    /// The entry with sealed secrets.
    static let secretsName = "com.openfaas.secrets"
    /// It may not be larger: it becomes a Secret, which has 1 MiB at most.
    static let secretsBytesMaximum = 700 << 10
    private static let root = "context"

    /// Checks a tar and writes the other one.
    ///
    /// - Parameters:
    ///   - source: The tar on disk.
    ///   - target: The file to write; it must not exist.
    ///   - share: What is written is taken from it.
    static func rewrite(
        _ source: String, to target: String, rules: BuildOrder.Rules, limits: Limits, share: Budget.Share
    ) throws(BuildRefusal) -> Checked {
        do {
            let survey = try survey(source, limits)
            guard let configuration = survey.configuration else {
                throw BuildRefusal(
                    .badRequest,
                    "the tar has no \(BuildContext.configurationName) at its root, which says what to build")
            }
            let order = try BuildOrder(parsing: configuration, rules: rules)
            guard survey.hasDockerfile else {
                throw BuildRefusal(.badRequest, "the tar has no file context/Dockerfile")
            }
            let written = try write(source, to: target, order, survey.ignore, limits, share)
            return Checked(
                order: order, sealedSecrets: survey.secrets, digest: written.digest, sizeBytes: written.sizeBytes)
        } catch {
            throw refusal(error)
        }
    }

    private static func refusal(_ error: any Error) -> BuildRefusal {
        switch error {
        case let refusal as BuildRefusal: return refusal
        case let error as ArchiveError:
            switch error {
            case .limitExceeded: return BuildRefusal(.contentTooLarge, "\(error)")
            case .malformed: return BuildRefusal(.badRequest, "\(error)")
            case .unsafeEntry: return BuildRefusal(.badRequest, "the tar holds what no build context may: \(error)")
            case .sourceChanged, .system: return BuildRefusal(.internalServerError, "the builder cannot use its disk")
            }
        case let error as DockerIgnoreError: return BuildRefusal(.badRequest, "context/\(error)")
        case ArtifactFolderError.full:
            return BuildRefusal(HTTPStatus(507), "the builder's disk is full; try again later")
        default: return BuildRefusal(.internalServerError, "the builder cannot use its disk")
        }
    }

    private static func survey(_ path: String, _ limits: Limits) throws -> Survey {
        var survey = Survey()
        let tar = try OpenTar(path, limits)
        while let entry = try tar.next() { try survey.take(entry, tar) }
        return survey
    }

    /// What the first reading finds.
    private struct Survey {
        var configuration: [UInt8]?
        var secrets: [UInt8]?
        var hasDockerfile = false
        var ignore = DockerIgnore()

        mutating func take(_ entry: TarEntry, _ tar: OpenTar) throws {
            switch entry.path {
            case BuildContext.configurationName:
                configuration = try content(entry, tar, BuildOrder.bytesMaximum)
            case BuildArchive.secretsName:
                secrets = try content(entry, tar, BuildArchive.secretsBytesMaximum)
            case BuildArchive.root:
                guard entry.kind == .directory else {
                    throw BuildRefusal(.badRequest, "context must be a folder")
                }
            case "context/Dockerfile":
                hasDockerfile = entry.kind == .file
            case "context/.dockerignore":
                guard entry.kind == .file else { break }
                let bytes = try content(entry, tar, DockerIgnore.fileBytesMaximum)
                ignore = try DockerIgnore(String(decoding: bytes, as: UTF8.self))
            default: break
            }
            guard let name = BuildArchive.name(entry) else { return }
            switch entry.kind {
            case .file, .directory: break
            case .symbolicLink(let target):
                guard BuildArchive.staysInside(name, target: target) else {
                    throw ArchiveError.unsafeEntry(path: entry.path, reason: "a link that leads out of context/")
                }
            case .hardLink: throw ArchiveError.unsafeEntry(path: entry.path, reason: "a hard link")
            }
        }

        private func content(_ entry: TarEntry, _ tar: OpenTar, _ bytesMaximum: Int) throws -> [UInt8] {
            guard entry.kind == .file else {
                throw BuildRefusal(.badRequest, "\(entry.path) must be a file")
            }
            return try tar.content(bytesMaximum: bytesMaximum)
        }
    }

    /// The path inside the context; nil for what lies elsewhere.
    private static func name(_ entry: TarEntry) -> String? {
        entry.path.hasPrefix(root + "/") ? String(entry.path.dropFirst(root.utf8.count + 1)) : nil
    }

    /// Whether a link stays inside the context; the reader has made sure that `..` stands at the target's start only.
    private static func staysInside(_ name: String, target: String) -> Bool {
        let depth = name.split(separator: "/").count - 1
        return target.split(separator: "/").count { $0 == ".." } <= depth
    }

    private static func write(
        _ source: String, to target: String, _ order: BuildOrder, _ ignore: DockerIgnore, _ limits: Limits,
        _ share: Budget.Share
    ) throws -> (digest: String, sizeBytes: Int) {
        let descriptor = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw ArtifactFolderError(call: "open", code: errno) }
        defer { close(descriptor) }
        let hasher = SHA256Hasher()
        var sizeBytes = 0
        var roomier = limits.archive
        // What the request may hold, and the configuration written anew.
        roomier.entriesMaximum += 2
        roomier.totalBytesMaximum += Int64(2 * BuildOrder.bytesMaximum)
        var tar = TarWriter(limits: roomier) { bytes in
            hasher.update(bytes)
            sizeBytes += bytes.count
            guard share.take(bytes.count) else { throw BuildRefusal.noRoom }
            try writeAll(bytes, to: descriptor)
        }
        try tar.addFile(BuildContext.configurationName, bytes: order.normalised)
        try tar.addDirectory(root)
        let input = try OpenTar(source, limits)
        while let entry = try input.next() {
            // Docker reads the Dockerfile even where its own rules leave it out.
            guard let name = name(entry), name == "Dockerfile" || !ignore.excludes(name) else { continue }
            switch entry.kind {
            case .directory: try tar.addDirectory(entry.path)
            case .symbolicLink(let target): try tar.addSymbolicLink(entry.path, target: target)
            case .hardLink: break
            case .file:
                try tar.addFile(entry.path, size: Int(entry.size), isExecutable: entry.isExecutable) { next in
                    while let chunk = try input.nextChunk() { try next(chunk) }
                }
            }
        }
        try tar.finish()
        guard fsync(descriptor) == 0 else { throw ArtifactFolderError(call: "fsync", code: errno) }
        return (hasher.finalize().hex, sizeBytes)
    }
}

/// A tar on disk that is being read.
private final class OpenTar {
    private let descriptor: Int32
    /// Nil only at the end: libarchive goes before the descriptor that it reads from.
    private var reader: TarReader?

    init(_ path: String, _ limits: BuildArchive.Limits) throws {
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw ArtifactFolderError(call: "open", code: errno) }
        reader = try TarReader(fileDescriptor: descriptor, limits: limits.archive)
    }

    deinit {
        reader = nil
        if descriptor >= 0 { close(descriptor) }
    }

    func next() throws -> TarEntry? { try reader?.next() }

    func nextChunk() throws -> [UInt8]? { try reader?.nextChunk() }

    func content(bytesMaximum: Int) throws -> [UInt8] { try reader?.content(bytesMaximum: bytesMaximum) ?? [] }
}
