import HTTP

/// What a path of OpenFaaS' REST API names.
enum AdminRoute: Equatable, Sendable {
    case health
    case info
    case functions
    case function(String)
    case scale(String)
    case logs
    case secrets
    case namespaces
    /// A namespace; an empty name where one is to be made.
    case namespace(String)
    case metrics

    /// Reads a path; nil when there is nothing at it.
    ///
    /// Names need no escapes, so that one path has one spelling.
    init?(path: String) {
        switch path {
        case "/healthz": self = .health
        case "/system/info": self = .info
        case "/system/functions": self = .functions
        case "/system/logs": self = .logs
        case "/system/secrets": self = .secrets
        case "/system/namespaces": self = .namespaces
        case "/system/metrics": self = .metrics
        case "/system/namespace/": self = .namespace("")
        default:
            if let name = Self.name(in: path, after: "/system/function/") {
                self = .function(name)
            } else if let name = Self.name(in: path, after: "/system/scale-function/") {
                self = .scale(name)
            } else if let name = Self.name(in: path, after: "/system/namespace/") {
                self = .namespace(name)
            } else {
                return nil
            }
        }
    }

    /// The methods that mean something here.
    var methods: [HTTPMethod] {
        switch self {
        case .health, .info, .function, .logs, .namespaces, .metrics: [.get]
        case .functions, .secrets, .namespace: [.get, .post, .put, .delete]
        case .scale: [.post]
        }
    }

    /// The route's name in metrics, without what it is about.
    var label: String {
        switch self {
        case .health: "health"
        case .info: "info"
        case .functions: "functions"
        case .function: "function"
        case .scale: "scale"
        case .logs: "logs"
        case .secrets: "secrets"
        case .namespaces: "namespaces"
        case .namespace: "namespace"
        case .metrics: "metrics"
        }
    }

    private static func name(in path: String, after prefix: String) -> String? {
        guard path.hasPrefix(prefix) else { return nil }
        let name = path.dropFirst(prefix.count)
        guard (1...nameBytesMaximum).contains(name.utf8.count), name.utf8.allSatisfy(isNameByte) else { return nil }
        return String(name)
    }

    /// The longest name of an object.
    private static let nameBytesMaximum = 253

    /// `[-a-zA-Z_0-9.]`, as OpenFaaS' gateway has it.
    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
            true
        default: false
        }
    }
}
