import Builds
import Commands
import KubernetesClient
import KubernetesTypes

/// Where and how a folder's functions are built: what was typed, what the folder says, what the environment says.
struct BuildOptions: Sendable {
    /// Who builds.
    enum Place: Sendable {
        /// A program of this machine.
        case local
        /// A builder.
        case remote
    }

    private let options: Options
    private let console: Console
    private let folder: FolderOptions
    /// What is known by a login of the server that functions go to.
    private let account: ServerAccount?

    /// The options of everything that builds.
    static let all: [CommandDescription.Option] =
        FolderOptions.reading + [
            .init(
                "local", short: "l", "build on this machine: docker, podman, buildah or buildctl, whichever is there"),
            .init("remote", "build in the cluster, or by --builder (the default)"),
            .init(
                "with", value: "PROGRAM", completion: .words(LocalBuilder.allCases.map(\.rawValue)),
                "the program for --local"),
            .init("builder", value: "URL", "a builder with an address of its own"),
            .init("payload-secret", value: "FILE", completion: .file, "what --builder's requests are signed with"),
            .init("registry", value: "PREFIX", "where images go, as registry.example.com/alice"),
            .init(
                "tag", value: "RULE", completion: .words(ImageTag.allCases.map(\.rawValue)),
                "latest, sha, branch, describe or digest (default latest)"),
            .init("platforms", value: "LIST", "what to build for, as linux/amd64,linux/arm64"),
            .init("no-cache", "with --local: build every layer anew"),
            .init("quiet", short: "q", "do not show the log of a build that succeeds"),
            .init("verbosity", short: "v", value: "LEVEL", "FaaSO's level of talk, 0 to 6: up to 2 is --quiet"),
        ]

    /// Makes what was asked for.
    init(_ options: Options, _ console: Console, _ folder: FolderOptions, account: ServerAccount? = nil) {
        self.account = account
        self.options = options
        self.console = console
        self.folder = folder
    }

    /// Looks at everything that was typed, before anything is read or asked.
    ///
    /// - Throws: `UsageError`.
    func check() throws(UsageError) {
        _ = try place()
        _ = try isQuiet()
        _ = try tag()
        _ = try folder.arguments()
        if let url = builderURL { _ = try AddressedBuilder(url) }
    }

    /// Who builds.
    ///
    /// - Throws: `UsageError` when both were asked for.
    func place() throws(UsageError) -> Place {
        let isLocal = options.has("local") || options["with"] != nil
        guard !(isLocal && (options.has("remote") || options["builder"] != nil)) else {
            throw UsageError("--local builds here, --remote and --builder build elsewhere: choose one")
        }
        return isLocal ? .local : .remote
    }

    /// Whether logs are only shown of builds that fail.
    ///
    /// - Throws: `UsageError`.
    func isQuiet() throws(UsageError) -> Bool {
        guard let level: Int = try options.number("verbosity") else { return options.has("quiet") }
        guard (0...6).contains(level) else { throw UsageError("-v: \(level) is not from 0 to 6") }
        return options.has("quiet") || level <= 2
    }

    /// What to build for; the builder's own platform when empty.
    func platforms() -> [String] {
        (options["platforms"] ?? "").split(separator: ",").map { String($0.filter { !$0.isWhitespace }) }
            .filter { !$0.isEmpty }
    }

    /// Whether layers of earlier builds are not used.
    var skipsCache: Bool { options.has("no-cache") }

    /// The program that was named for building here.
    var program: String? { options["with"] }

    /// The rule for tags.
    ///
    /// - Throws: `UsageError`.
    func tag() throws(UsageError) -> ImageTag { try ImageTag(typed: options["tag"] ?? folder.settings.tag ?? "") }

    /// A registry that somebody named.
    var registry: String? {
        options["registry"] ?? console.variable("FAREBOX_PREFIX") ?? folder.settings.registry ?? account?.registry
            ?? console.variable("OPENFAAS_PREFIX")
    }

    /// The URL of a builder that somebody named.
    var builderURL: String? {
        options["builder"] ?? console.variable("FAREBOX_BUILDER") ?? folder.settings.builder ?? account?.builder
            ?? console.variable("OPENFAAS_REMOTE_BUILDER")
    }

    private var secretPath: String? {
        options["payload-secret"] ?? console.variable("FAREBOX_PAYLOAD_SECRET")
            ?? folder.settings.payloadSecret.map(folder.path) ?? account?.payloadSecret
            ?? console.variable("OPENFAAS_PAYLOAD_SECRET")
    }

    /// Refuses to build where nothing can: a server of OpenFaaS' kind has no builder of its own.
    ///
    /// - Throws: `UsageError`.
    func needBuilder(beside server: Server) throws(UsageError) {
        guard try place() == .remote, builderURL == nil else { return }
        throw UsageError(
            "the server \(server.address.url) builds nothing itself: name a builder (--builder URL --payload-secret FILE, or "
                + "once: farebox login \(server.address.url) --builder URL --payload-secret FILE), or build here: --local"
        )
    }

    /// The builder to use.
    ///
    /// - Parameter cluster: For the cluster's own builder and its secret.
    /// - Throws: `UsageError`, `CommandFailure`.
    func client(_ cluster: () throws -> Cluster) async throws -> BuilderClient {
        if let url = builderURL {
            let authorities = try await CertificateAuthorities.read(options) ?? account?.authorities
            let place = try AddressedBuilder(url, authorities: authorities)
            guard let path = secretPath else {
                throw UsageError(
                    "--payload-secret is missing: the file with what requests to \(place.name) are signed with")
            }
            return BuilderClient(place: place, secret: try await secret(path))
        }
        let cluster = try cluster()
        if let path = secretPath {
            return BuilderClient(place: ClusterBuilder(client: cluster.api), secret: try await secret(path))
        }
        return BuilderClient(place: ClusterBuilder(client: cluster.api), secret: try await secret(of: cluster))
    }

    // MARK: - The secret

    /// The Secret that the builder has its own from, and the key in it.
    static let secretName = "farebox-builder-payload"
    static let secretKey = "payload-secret"
    private static let secretBytesMaximum = 64 << 10

    private func secret(_ path: String) async throws -> [UInt8] {
        guard let bytes = try await SmallFile.read(path, bytesMaximum: Self.secretBytesMaximum) else {
            throw CommandFailure(.notFound, "there is no file \(path)")
        }
        return try Self.usable(bytes, path)
    }

    private func secret(of cluster: Cluster) async throws -> [UInt8] {
        let key = ObjectKey(namespace: Cluster.systemNamespace, name: Self.secretName)
        let found = try await about(
            "the builder's Secret \(key)",
            absent: "the administrator makes it (docs/builder-api.md); or build here with --local"
        ) { try await cluster.api.get(Secret.self, key) }
        return try Self.usable(found.data[Self.secretKey]?.bytes ?? [], "the Secret \(key)")
    }

    /// Without the white space around it: files end in a newline, and the secret does not.
    private static func usable(_ bytes: [UInt8], _ place: String) throws(CommandFailure) -> [UInt8] {
        let isSpace = { (byte: UInt8) in byte == 0x20 || (0x09...0x0D).contains(byte) }
        guard let first = bytes.firstIndex(where: { !isSpace($0) }), let last = bytes.lastIndex(where: { !isSpace($0) })
        else { throw CommandFailure(.failed, "\(place) holds no secret") }
        return Array(bytes[first...last])
    }
}
