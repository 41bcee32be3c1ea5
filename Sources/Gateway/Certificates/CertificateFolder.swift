import Glibc
import Synchronization
import TLS
import Telemetry

/// Certificates in a folder: `tls.crt` and `tls.key` in it, and in each folder in it, as Secrets of the type
/// `kubernetes.io/tls` are mounted.
///
/// The folder is looked at when a client shakes hands, at most once a second: a changed Secret is shown to the next client,
/// and a gateway that nobody calls reads nothing. A pair that cannot be used is told in the log, and the one it replaces stays.
final class CertificateFolder: Sendable {
    static let certificateName = "tls.crt"
    static let keyName = "tls.key"
    /// Folders looked into.
    static let pairsMaximum = 1000

    /// A pair of files as it was at one moment.
    struct Stamp: Equatable {
        /// The folder's path.
        let folder: String
        let certificate: FileStamp
        let key: FileStamp
    }

    /// What tells that a file is another or has been written to.
    struct FileStamp: Equatable {
        let inode: UInt
        let bytes: Int
        let seconds: Int
        let nanoseconds: Int
    }

    private struct State {
        var stamps: [Stamp] = []
        var identities: [String: CertificateIdentity] = [:]
        var lookedAt: Int?
    }

    private let path: String
    private let logger = Logger(label: "gateway.tls")
    private let expiries: GaugeFamily
    private let state = Mutex(State())

    /// Makes a reader of the folder at `path`; nothing is read yet.
    ///
    /// - Parameter expiries: Gets the end of each certificate, in seconds since 1970, by its folder.
    init(path: String, expiries: GaugeFamily) {
        self.path = path
        self.expiries = expiries
    }

    /// Reads what changed since the last look.
    ///
    /// - Parameter second: Of a clock that never goes back.
    /// - Returns: All certificates there are, the folder's own first; `nil` when none changed or the last look was in this
    ///   second.
    func changed(at second: Int = CertificateFolder.now) -> [CertificateIdentity]? {
        state.withLock { state in
            guard state.lookedAt != second else { return nil }
            state.lookedAt = second
            return changed(&state)
        }
    }

    static var now: Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec
    }

    private func changed(_ state: inout State) -> [CertificateIdentity]? {
        let stamps = Self.stamps(in: path)
        guard stamps != state.stamps else { return nil }
        let known = Dictionary(state.stamps.map { ($0.folder, $0) }, uniquingKeysWith: { first, _ in first })
        var identities: [String: CertificateIdentity] = [:]
        for stamp in stamps {
            let earlier = state.identities[stamp.folder]
            if known[stamp.folder] == stamp {
                identities[stamp.folder] = earlier
                continue
            }
            identities[stamp.folder] = read(stamp.folder) ?? earlier
        }
        state.stamps = stamps
        state.identities = identities
        return stamps.compactMap { identities[$0.folder] }
    }

    private func read(_ folder: String) -> CertificateIdentity? {
        guard let certificate = Self.bytes(of: folder + "/" + Self.certificateName),
            let key = Self.bytes(of: folder + "/" + Self.keyName)
        else {
            logger.error("A certificate cannot be read; the one before it stays", ["folder": folder])
            return nil
        }
        do throws(TLSError) {
            let identity = try CertificateIdentity(certificatePEM: certificate, keyPEM: key)
            expiries.labels(folder).set(Double(identity.expiresAt))
            logger.info(
                "Certificate read",
                ["folder": folder, "names": identity.names.joined(separator: " "), "expiresAt": identity.expiresAt])
            return identity
        } catch {
            logger.error("A certificate cannot be used; the one before it stays", ["folder": folder, "error": error])
            return nil
        }
    }

    // MARK: Files

    /// The pairs in the folder, its own first, then those of its folders by name.
    static func stamps(in path: String) -> [Stamp] {
        var stamps: [Stamp] = []
        if let own = stamp(of: path) {
            stamps.append(own)
        }
        for name in folders(in: path).sorted() {
            if let stamp = stamp(of: path + "/" + name) {
                stamps.append(stamp)
            }
        }
        return stamps
    }

    private static func stamp(of folder: String) -> Stamp? {
        guard let certificate = fileStamp(folder + "/" + certificateName), let key = fileStamp(folder + "/" + keyName)
        else { return nil }
        return Stamp(folder: folder, certificate: certificate, key: key)
    }

    private static func fileStamp(_ path: String) -> FileStamp? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return FileStamp(
            inode: status.st_ino, bytes: status.st_size, seconds: status.st_mtim.tv_sec,
            nanoseconds: status.st_mtim.tv_nsec)
    }

    /// Folders whose names do not begin with a dot: those are how the kubelet swaps a mounted Secret.
    private static func folders(in path: String) -> [String] {
        guard let handle = opendir(path) else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while names.count < pairsMaximum, let entry = readdir(handle) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") {
                names.append(name)
            }
        }
        return names
    }

    /// What a file holds; `nil` when it cannot be read or is larger than any certificate.
    private static func bytes(of path: String) -> [UInt8]? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: CertificateIdentity.pemBytesMaximum + 1)
        let count = fread(&bytes, 1, bytes.count, file)
        guard count <= CertificateIdentity.pemBytesMaximum else { return nil }
        return Array(bytes.prefix(count))
    }
}
