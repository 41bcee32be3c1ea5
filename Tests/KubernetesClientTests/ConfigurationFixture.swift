import Synchronization

@testable import KubernetesClient

/// Variables and files that a test made up.
final class ConfigurationFixture: Sendable {
    private let variables: [String: String]
    private let files: Mutex<[String: String]>

    init(_ variables: [String: String] = [:], files: [String: String] = [:]) {
        self.variables = variables
        self.files = Mutex(files)
    }

    /// Replaces or removes a file.
    func write(_ path: String, _ text: String?) {
        files.withLock { $0[path] = text }
    }

    var surroundings: ConfigurationSurroundings {
        ConfigurationSurroundings(
            variable: { [self] name in variables[name] },
            file: { [self] path throws(ConfigurationError) in
                guard let text = files.withLock({ $0[path] }) else { return nil }
                if text == "<unreadable>" { throw .unreadable(path: path, reason: "Permission denied") }
                return Array(text.utf8)
            })
    }

    var loader: ConfigurationLoader { ConfigurationLoader(surroundings: surroundings) }

    /// A kubeconfig with one context `main`, whose cluster and user have the given lines.
    static func kubeconfig(cluster: [String] = [], user: [String] = [], context: [String] = []) -> String {
        let indented = { (lines: [String]) in lines.map { "\n    \($0)" }.joined() }
        return """
            apiVersion: v1
            kind: Config
            current-context: main
            preferences: {}
            clusters:
            - name: c
              cluster:
                server: https://api.example:6443\(indented(cluster))
            users:
            - name: u
              user:
                unknown-field: ignored\(indented(user))
            contexts:
            - name: main
              context:
                cluster: c
                user: u\(indented(context))
            """
    }

    /// The configuration of ``kubeconfig(cluster:user:context:)``.
    static func load(
        cluster: [String] = [], user: [String] = [], context: [String] = []
    ) throws -> ClientConfiguration {
        let text = kubeconfig(cluster: cluster, user: user, context: context)
        return try ConfigurationFixture(files: ["/k/config": text]).loader.forPerson(kubeconfig: "/k/config")
    }
}
