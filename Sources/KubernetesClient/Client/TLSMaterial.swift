import HTTP

/// The certificates and keys in use, and when to look whether their files have changed.
///
/// A pure value; the contents of files are handed to it.
struct TLSMaterial: Sendable {
    /// How often files are read again, as client-go does.
    static let checkInterval = Duration.seconds(300)

    private let configuration: ClientConfiguration
    private var nextCheck: ContinuousClock.Instant
    /// What connections use now.
    private(set) var identity: TLSIdentity

    /// Reads everything for the first time; here, anything missing is an error.
    ///
    /// - Throws: ``ConfigurationError``.
    init(
        _ configuration: ClientConfiguration, at now: ContinuousClock.Instant,
        read: (String) throws(ConfigurationError) -> [UInt8]?
    ) throws(ConfigurationError) {
        self.configuration = configuration
        nextCheck = now + Self.checkInterval
        identity = TLSIdentity(skipsVerification: configuration.skipsVerification)
        if let source = configuration.authorities {
            identity.authorities = try Self.load(source, "certificate authorities", read)
        }
        if let certificate = configuration.certificate {
            identity.certificate = try Self.load(certificate.certificate, "client certificate", read)
            identity.privateKey = try Self.load(certificate.key, "client key", read)
        }
    }

    /// Whether the files should be looked at again; says so once per interval.
    mutating func isDue(at now: ContinuousClock.Instant) -> Bool {
        guard hasFiles, now >= nextCheck else { return false }
        nextCheck = now + Self.checkInterval
        return true
    }

    /// Reads the files again.
    ///
    /// What is missing, empty or malformed stays as it was.
    ///
    /// - Returns: Whether anything changed, and whether anything was unusable.
    mutating func reload(
        read: (String) throws(ConfigurationError) -> [UInt8]?
    ) -> (hasChanged: Bool, hasFailed: Bool) {
        var new = identity
        var hasFailed = false
        if case .file? = configuration.authorities, let source = configuration.authorities {
            if let loaded = try? Self.load(source, "certificate authorities", read) {
                new.authorities = loaded
            } else {
                hasFailed = true
            }
        }
        if let certificate = configuration.certificate {
            // Both or none: a new certificate does not work with the old key.
            if let loaded = try? Self.load(certificate.certificate, "client certificate", read),
                let key = try? Self.load(certificate.key, "client key", read)
            {
                new.certificate = loaded
                new.privateKey = key
            } else {
                hasFailed = true
            }
        }
        let hasChanged = new != identity
        identity = new
        return (hasChanged, hasFailed)
    }

    private var hasFiles: Bool {
        let sources = [
            configuration.authorities, configuration.certificate?.certificate, configuration.certificate?.key,
        ]
        return sources.contains { if case .file? = $0 { true } else { false } }
    }

    private static func load(
        _ source: PEMSource, _ what: String, _ read: (String) throws(ConfigurationError) -> [UInt8]?
    ) throws(ConfigurationError) -> [UInt8] {
        let (bytes, origin): ([UInt8], String)
        switch source {
        case .data(let data): (bytes, origin) = (data, "the kubeconfig")
        case .file(let path):
            guard let contents = try read(path) else {
                throw .unreadable(path: path, reason: "there is no such file (\(what))")
            }
            (bytes, origin) = (contents, path)
        }
        guard bytes.firstRange(of: Array("-----BEGIN ".utf8)) != nil else {
            throw .invalid("the \(what) in \(origin) is not PEM")
        }
        return bytes
    }
}
