public import Builds
import ControllerRuntime
import Cryptography
import Glibc
import HTTP
public import Telemetry

/// The process behind `farebox builder`: it keeps build contexts between the operator, which stores them, and the build
/// pods, which fetch them by digest.
public final class ArtifactServer: Sendable {
    /// The tokens of the key that this process shares with the operator.
    public let tokens: ArtifactTokens
    let folder: ArtifactFolder
    private let metrics: ArtifactMetrics
    private let server: HTTPServer
    private let internalServer: HTTPServer
    private let logger = Logger(label: "artifacts")

    /// How often old artifacts are looked for.
    private static let sweepInterval: Duration = .seconds(600)

    /// Opens the folder and reads the key.
    ///
    /// - Parameters:
    ///   - configuration: It must be valid.
    ///   - registry: Gets the metrics.
    /// - Throws: ``ArtifactServerError`` that says what to do.
    public init(configuration: ArtifactServerConfiguration, registry: MetricsRegistry) throws {
        let problems = configuration.validate()
        guard problems.isEmpty else { throw ArtifactServerError(problems.joined(separator: "; ")) }
        tokens = try Self.tokens(keyPath: configuration.keyPath)
        do {
            folder = try ArtifactFolder(path: configuration.folder, limits: configuration.limits)
        } catch {
            throw ArtifactServerError("the folder \(configuration.folder) cannot be used: \(error)")
        }
        metrics = ArtifactMetrics(registry)
        var settings = HTTPServerConfiguration()
        settings.address = configuration.address
        settings.port = configuration.port
        settings.name = "artifacts"
        settings.bodyBytesMaximum = UInt64(configuration.artifactBytesMaximum)
        settings.connectionsMaximum = configuration.connectionsMaximum
        server = HTTPServer(
            configuration: settings, handler: ArtifactHandler(folder: folder, tokens: tokens, metrics: metrics))
        let health = HealthChecks(name: "healthz")
        let ready = HealthChecks(name: "readyz")
        let path = configuration.folder
        ready.add("folder") { access(path, W_OK | X_OK) == 0 }
        settings.port = configuration.internalPort
        settings.name = "internal"
        internalServer = HTTPServer(
            configuration: settings, handler: HealthHandler(checks: [health, ready]) { registry.render() })
    }

    /// Listens.
    ///
    /// - Returns: The ports, which the kernel chose where the configuration says 0.
    /// - Throws: When an address cannot be listened on.
    @discardableResult
    public func start() throws -> (port: UInt16, internalPort: UInt16) {
        (try server.start(), try internalServer.start())
    }

    /// Serves until the task is cancelled, then lets requests under way finish.
    ///
    /// ``start()`` comes first.
    public func run() async throws {
        try await withThrowingTaskGroup { group in
            group.addTask { try await self.server.run() }
            group.addTask { try await self.internalServer.run() }
            group.addTask { await self.sweepForEver() }
            try await group.waitForAll()
        }
    }

    private func sweepForEver() async {
        while !Task.isCancelled {
            let result = try? await BlockingThread.run { [folder] in Result { try folder.sweep() } }.get()
            if let result {
                metrics.swept(removed: result.removed, usedBytes: result.usedBytes)
                if result.removed > 0 { logger.info("Removed old artifacts", ["count": result.removed]) }
            }
            // Artifacts live for hours: nothing tells when one grows old, so it is looked for once in a while.
            try? await Task.sleep(for: Self.sweepInterval)
        }
    }

    /// Kubernetes takes one more base64 off when it mounts the Secret; this is the text inside.
    private static func tokens(keyPath: String) throws -> ArtifactTokens {
        guard let file = fopen(keyPath, "re") else {
            throw ArtifactServerError("the key \(keyPath) cannot be read; mount the Secret farebox-artifacts there")
        }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = fread(&bytes, 1, bytes.count, file)
        let text = String(decoding: bytes[..<count], as: UTF8.self)
        guard let key = Base64.decode(String(text.prefix { !$0.isWhitespace }), .standard),
            let tokens = ArtifactTokens(key: key)
        else {
            throw ArtifactServerError("the key \(keyPath) must hold \(ArtifactTokens.keyBytes) random bytes in base64")
        }
        return tokens
    }
}

/// Why the store cannot run, for whoever starts it.
public struct ArtifactServerError: Error, Hashable, CustomStringConvertible {
    /// What is wrong and what to do.
    public let description: String

    /// Makes an error.
    public init(_ description: String) { self.description = description }
}
