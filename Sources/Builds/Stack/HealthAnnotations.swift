public import CRDs

/// OpenFaaS' annotations about health checks.
public enum HealthAnnotations {
    static let path = "com.openfaas.health.http.path"
    static let initialDelay = "com.openfaas.health.http.initialDelay"
    static let readyPath = "com.openfaas.ready.http.path"
    static let readyInitialDelay = "com.openfaas.ready.http.initialDelay"

    /// Whether an annotation becomes a field of the Function.
    public static func isOne(_ key: String) -> Bool {
        [path, initialDelay, readyPath, readyInitialDelay].contains(key)
    }

    /// The annotations by which ``health(_:)`` reads this; time limits have none.
    public static func annotations(of health: FunctionHealth) -> [String: String] {
        var annotations: [String: String] = [:]
        annotations[path] = health.path
        annotations[readyPath] = health.readyPath
        annotations[initialDelay] = health.initialDelay
        return annotations
    }

    /// The health check; nil when no annotation says anything about one.
    ///
    /// A function has one wait before it is asked first, for both checks: that of the health check goes before.
    public static func health(_ annotations: [String: String]) -> FunctionHealth? {
        guard annotations.keys.contains(where: isOne) else { return nil }
        return FunctionHealth(
            path: annotations[path], readyPath: annotations[readyPath],
            initialDelay: annotations[initialDelay] ?? annotations[readyInitialDelay])
    }
}
