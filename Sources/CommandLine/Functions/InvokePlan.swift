import CRDs
import Commands
import HTTP
import KubernetesTypes

/// A call of a function as it was typed.
struct InvokePlan: Sendable {
    /// The ways to a function.
    enum Way: String, CaseIterable, Sendable {
        /// By its URL where that leads there, else through the API server.
        case auto
        /// By its URL.
        case url
        /// Through the API server to the gateway.
        case cluster
    }

    let function: String
    let method: HTTPMethod
    let headers: HTTPHeaders
    let body: HTTPClientRequest.Body
    /// What follows the function's URL: empty, or beginning with a slash or a question mark.
    let path: String
    let isAsync: Bool
    let way: Way
    let showsHead: Bool
    let limit: Duration

    /// How long a call may take unless somebody says otherwise: longer than a cold start.
    private static let limitDefault = Duration.seconds(120)

    /// Reads what was typed, and standard input where that is to be sent.
    ///
    /// - Throws: `UsageError`; `CommandFailure` where a file cannot be read.
    init(_ options: Options) throws {
        function = try options.requiredArgument("function")
        way = try options.choice("via", of: Way.allCases.map(\.rawValue)).flatMap(Way.init(rawValue:)) ?? .auto
        showsHead = options.has("include")
        isAsync = options.has("async")
        limit = try options.duration("timeout") ?? Self.limitDefault
        body = try Self.body(options["data"])
        var hasBody = true
        if case .none = body { hasBody = false }
        method = HTTPMethod(rawValue: options["method"]?.uppercased() ?? (hasBody || isAsync ? "POST" : "GET"))
        guard !method.rawValue.isEmpty, method.rawValue.utf8.allSatisfy({ (0x41...0x5A).contains($0) }) else {
            throw UsageError("--method: '\(TerminalText.line(String(method.rawValue.prefix(40))))' is no method")
        }
        var headers = HTTPHeaders()
        for text in options.all("header") {
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, headers.add(String(parts[0]), String(parts[1])) else {
                throw UsageError("--header: '\(TerminalText.line(String(text.prefix(60))))' is not like 'Name: value'")
            }
        }
        if hasBody, headers["Content-Type"] == nil { headers.add("Content-Type", "text/plain") }
        self.headers = headers
        path = try Self.path(options["path"] ?? "")
    }

    /// The URL to call; nil where the call goes through the API server.
    ///
    /// - Throws: `CommandFailure` where the function has none yet and nothing else was allowed.
    func directURL(of function: Function) throws -> String? {
        guard way != .cluster else { return nil }
        let url = function.status?.url ?? ""
        guard way == .url || !(url.isEmpty || Self.isOfThisMachine(url) || isAsync) else { return nil }
        guard !url.isEmpty else {
            throw CommandFailure(
                "function \(function.metadata.name) has no URL yet",
                advice: "wait for it: farebox status \(function.metadata.name) --wait")
        }
        guard !isAsync else {
            throw UsageError("--async calls go through the gateway: leave --via url out")
        }
        return (url.hasSuffix("/") && path.hasPrefix("/") ? String(url.dropLast()) : url) + path
    }

    /// The path of the function at the gateway, with the namespace where it is known.
    func forwardedTarget(of function: ObjectKey) -> String {
        let name = PercentEncoding.encode(function.name)
        let place = function.namespace.isEmpty ? "" : "." + PercentEncoding.encode(function.namespace)
        return "/\(isAsync ? "async-function" : "function")/\(name)\(place)\(path)"
    }

    /// What an answer's status means for the process; nil for success.
    static func failure(_ status: Int, of function: ObjectKey) -> CommandFailure? {
        let place = function.namespace.isEmpty ? "" : " in namespace \(function.namespace)"
        let name = "function \(function.name)\(place)"
        let words = function.name + (function.namespace.isEmpty ? "" : " -n \(function.namespace)")
        switch status {
        case 200..<400: return nil
        case 402:
            return CommandFailure(
                .refused, "\(name) demands payment (402)",
                advice: "see its price: farebox pay \(words)")
        case 401, 403: return CommandFailure(.refused, "\(name) refused the call (\(status))")
        case 504: return CommandFailure(.timedOut, "\(name) did not answer in time (504)")
        case 502, 503:
            return CommandFailure(
                "\(name) could not be called (\(status))",
                advice: "see how it is: farebox status \(words)")
        default:
            return CommandFailure(
                "\(name) answered \(status)",
                advice: "see what it says: farebox logs \(words)")
        }
    }

    /// Whether a URL leads to the machine it is used on, so that it means something else here than in the cluster.
    static func isOfThisMachine(_ url: String) -> Bool {
        guard let scheme = url.firstRange(of: "://") else { return false }
        let authority = url[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" }
        if authority.hasPrefix("[::1]") { return true }
        let host = authority.prefix { $0 != ":" }.lowercased()
        return host == "localhost" || host.hasSuffix(".localhost") || host.hasPrefix("127.")
    }

    private static func path(_ text: String) throws -> String {
        guard !text.isEmpty else { return "" }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") }) else {
            throw UsageError("--path: percent-encode spaces and everything that is not ASCII")
        }
        return text.hasPrefix("/") || text.hasPrefix("?") ? text : "/" + text
    }

    private static func body(_ data: String?) throws -> HTTPClientRequest.Body {
        guard let data else { return .none }
        guard data.hasPrefix("@") else { return .bytes(Array(data.utf8)) }
        let name = String(data.dropFirst())
        if name == "-" { return .bytes(try InputFile.standardInput(bytesMaximum: bodyBytesMaximum)) }
        return .bytes(try InputFile.read(name, bytesMaximum: bodyBytesMaximum))
    }

    /// What is sent is held in memory.
    private static let bodyBytesMaximum = 256 << 20
}
