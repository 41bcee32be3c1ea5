import Commands
import ControllerRuntime
import FoundationEssentials
import KubernetesClient
import Telemetry
import YAML

/// What every long-running process starts from: its configuration file, the way to the cluster, logs and metrics.
struct ProcessSetting {
    /// The options that all processes share.
    static let options: [CommandDescription.Option] = [
        .init("config", value: "FILE", "the configuration (default \(FareboxConfiguration.pathDefault))"),
        .init("kubeconfig", value: "FILE", "the cluster, where it is not the one around the pod"),
        .init("log-level", value: "LEVEL", "trace, debug, info, warning or error (default info)"),
        .init("log-format", value: "FORMAT", "json or text (default json)"),
    ]

    let configuration: FareboxConfiguration
    let metrics = MetricsRegistry()
    private let options: Options

    init(_ options: Options) throws {
        self.options = options
        try Self.setLogging(options)
        configuration = try Self.configuration(options)
        metrics.registerProcessMetrics()
    }

    /// Reads the configuration file.
    ///
    /// - Throws: An error that names the file, and line and column of what is wrong in it.
    static func configuration(_ options: Options) throws -> FareboxConfiguration {
        let path = options["config"] ?? FareboxConfiguration.pathDefault
        guard let data = try? Data(contentsOf: URL(filePath: path)) else {
            throw ProcessError(
                "the configuration \(path) cannot be read: mount the ConfigMap farebox-config, or give --config")
        }
        do {
            return try YAMLReader(unknownKeys: .refuse).decode(FareboxConfiguration.self, from: Array(data))
        } catch {
            throw ProcessError("\(path): \(error)")
        }
    }

    /// Makes a client of the API server.
    ///
    /// - Parameter adjust: Changes the configuration first.
    func client(_ adjust: (inout ClientConfiguration) -> Void = { _ in }) throws -> Client {
        var configuration = try ConfigurationLoader().forServer(kubeconfig: options["kubeconfig"])
        configuration.userAgent = "farebox/\(VersionCommand.version)"
        adjust(&configuration)
        return try Client(configuration, metrics: metrics)
    }

    private static func setLogging(_ options: Options) throws {
        if let name = options["log-level"] {
            guard let level = LogLevel(name: name) else { throw UsageError("--log-level: '\(name)' is no level") }
            Logger.setLevel(level)
        }
        switch options["log-format"] {
        case nil, "json": break
        case "text": Logger.setFormat(.text)
        case let other?: throw UsageError("--log-format: '\(other)' is neither json nor text")
        }
    }
}

/// Why a process cannot run; shown as it is.
struct ProcessError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
