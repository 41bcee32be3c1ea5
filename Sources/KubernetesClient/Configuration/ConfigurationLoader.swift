import YAML

/// Finds and reads the configuration of a client.
///
/// A server process looks at: the file it was given, `KUBECONFIG`, the service account of its pod, `~/.kube/config`. A
/// command that a person types skips the service account, as kubectl does.
public struct ConfigurationLoader: Sendable {
    private let surroundings: ConfigurationSurroundings

    /// Makes a loader.
    ///
    /// - Parameter surroundings: Variables and files; by default those of this process.
    public init(surroundings: ConfigurationSurroundings = .process) {
        self.surroundings = surroundings
    }

    /// Reads the configuration of a server process.
    ///
    /// - Parameters:
    ///   - path: A kubeconfig given on the command line; it must exist.
    ///   - context: The context to use instead of the file's current one.
    /// - Throws: ``ConfigurationError``.
    public func forServer(
        kubeconfig path: String? = nil, context: String? = nil
    ) throws(ConfigurationError) -> ClientConfiguration {
        if let config = try explicit(path) { return try resolve(config, context) }
        let serviceAccount = ServiceAccount(surroundings: surroundings)
        if let configuration = try serviceAccount.configuration() { return configuration }
        if let config = try fromHome() { return try resolve(config, context) }
        throw .nothingFound(
            "no Kubernetes configuration: give --kubeconfig, set KUBECONFIG, run in a pod with a service account, "
                + "or make ~/.kube/config")
    }

    /// Reads the configuration of a command that a person types.
    ///
    /// - Parameters:
    ///   - path: A kubeconfig given on the command line; it must exist.
    ///   - context: The context to use instead of the file's current one.
    /// - Throws: ``ConfigurationError``.
    public func forPerson(
        kubeconfig path: String? = nil, context: String? = nil
    ) throws(ConfigurationError) -> ClientConfiguration {
        if let config = try explicit(path) { return try resolve(config, context) }
        if let config = try fromHome() { return try resolve(config, context) }
        throw .nothingFound(
            "no Kubernetes configuration: give --kubeconfig, set KUBECONFIG, or make ~/.kube/config")
    }

    /// Reads the file from the command line or, without one, the files that `KUBECONFIG` names.
    private func explicit(_ path: String?) throws(ConfigurationError) -> Kubeconfig? {
        if let path {
            guard let config = try read(path) else { throw .unreadable(path: path, reason: "there is no such file") }
            return config
        }
        guard let list = surroundings.variable("KUBECONFIG"), !list.isEmpty else { return nil }
        var merged: Kubeconfig?
        var seen = Set<Substring>()
        for path in list.split(separator: ":") where seen.insert(path).inserted {
            guard let config = try read(String(path)) else { continue }
            merged = merged?.completed(by: config) ?? config
        }
        guard let merged else { throw .nothingFound("KUBECONFIG names no file that exists: \(list)") }
        return merged
    }

    private func fromHome() throws(ConfigurationError) -> Kubeconfig? {
        guard let home = surroundings.variable("HOME"), !home.isEmpty else { return nil }
        return try read(home + "/.kube/config")
    }

    /// Reads one file; `nil` when there is none.
    private func read(_ path: String) throws(ConfigurationError) -> Kubeconfig? {
        guard let bytes = try surroundings.file(path) else { return nil }
        let folder = path.lastIndex(of: "/").map { path[..<$0] } ?? "."
        guard bytes.contains(where: { $0 > 0x20 }) else { return Kubeconfig() }
        do {
            let config = try YAMLReader().decode(Kubeconfig.self, from: bytes)
            return config.resolvingPaths(against: String(folder))
        } catch {
            throw .malformed(path: path, reason: "\(error)")
        }
    }

    private func resolve(
        _ config: Kubeconfig, _ context: String?
    ) throws(ConfigurationError) -> ClientConfiguration {
        try KubeconfigResolver(config: config).configuration(context: context)
    }
}
