import AsyncCalls
import Commands
import FoundationEssentials
import Glibc
import HTTP
import JSON

/// `farebox async list`, `show`, `replay` and `drop`.
enum AsyncCommand {
    private static let place: [CommandDescription.Option] = [
        .init("url", value: "URL", "the gateway's internal port (default \(urlDefault))"),
        .init("token-file", value: "FILE", "the token (default \(AsyncConfiguration().tokenPath))"),
    ]
    private static let choice: [CommandDescription.Option] = [
        .init("id", value: "ID", "one call, by its id in the list"),
        .init("all", "all of them"),
        .init("function", value: "NAME.NAMESPACE", "with --all: only those of this function"),
    ]
    private static let urlDefault = "http://127.0.0.1:9090"
    private static let whereItRuns = """
        Runs where the gateway's internal port is in reach, most easily in its pod:
          kubectl exec -n farebox-system deploy/farebox-gateway -- farebox async list
        With SQLite each gateway has a store of its own; ask each pod.
        """

    static let list = CommandDescription(
        "async list", "lists calls that do not wait and that nothing helped",
        discussion: "Oldest first: what they were, how often they were tried, and why that ended.\n" + whereItRuns,
        options: place + [.init("format", value: "FORMAT", "text or json (default: text on a terminal, else json)")],
        examples: ["farebox async list --format json"])

    static let show = CommandDescription(
        "async show", "shows one of them with its fields and content", discussion: whereItRuns,
        options: place + [.init("id", value: "ID", "its id in the list")],
        examples: ["farebox async show --id 4bf92f3577b34da6a3ce929d0e0e4736"])

    static let replay = CommandDescription(
        "async replay", "has some of them made after all",
        discussion: "They begin anew with their first attempt, and cost nothing more.\n" + whereItRuns,
        options: place + choice, examples: ["farebox async replay --all --function hello.farebox-functions"])

    static let drop = CommandDescription(
        "async drop", "forgets some of them", discussion: whereItRuns, options: place + choice,
        examples: ["farebox async drop --id 4bf92f3577b34da6a3ce929d0e0e4736"])

    // MARK: What they do

    @Sendable static func runList(_ options: Options) async throws {
        let format = options["format"] ?? (isatty(1) == 1 ? "text" : "json")
        guard ["text", "json"].contains(format) else {
            throw UsageError("--format: '\(format)' is neither text nor json")
        }
        let gateway = try GatewayAsked(options)
        try await eachCall(of: gateway) { call in
            if format == "json" {
                print(JSONWriter().string(call))
            } else {
                let words = ["diedAt", "id", "kind", "function", "namespace", "attempts", "reason"].map {
                    text(call[$0])
                }
                print(words.joined(separator: "  "))
            }
        }
    }

    @Sendable static func runShow(_ options: Options) async throws {
        let answer = try await GatewayAsked(options).ask(.get, "/async/dead/\(try identifier(options))")
        print(JSONWriter(style: .pretty).string(answer))
    }

    @Sendable static func runReplay(_ options: Options) async throws {
        try await act(options, .post, "replayed")
    }

    @Sendable static func runDrop(_ options: Options) async throws {
        try await act(options, .delete, "dropped")
    }

    private static func act(_ options: Options, _ method: HTTPMethod, _ done: String) async throws {
        let gateway = try GatewayAsked(options)
        guard options["all"] != nil else {
            _ = try await gateway.ask(method, "/async/dead/\(try identifier(options))")
            return print("\(done): 1")
        }
        guard options["id"] == nil else { throw UsageError("--id and --all exclude each other") }
        var chosen: [String] = []
        try await eachCall(of: gateway) { call in
            let name = "\(text(call["function"])).\(text(call["namespace"]))"
            if options["function"] == nil || options["function"] == name { chosen.append(text(call["id"])) }
        }
        for id in chosen { _ = try await gateway.ask(method, "/async/dead/\(id)") }
        print("\(done): \(chosen.count)")
    }

    private static func eachCall(of gateway: GatewayAsked, _ body: (JSONValue) throws -> Void) async throws {
        var next: Int64? = 0
        while let after = next {
            let page = try await gateway.ask(.get, "/async/dead?after=\(after)")
            try (page["calls"]?.arrayValue ?? []).forEach(body)
            next = page["next"]?.integerValue
        }
    }

    private static func identifier(_ options: Options) throws -> String {
        let id = try options.required("id")
        guard id.utf8.count == 32, id.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else {
            throw UsageError("--id: '\(id)' is no id of the list: 32 hexadecimal digits")
        }
        return id
    }

    private static func text(_ value: JSONValue?) -> String {
        value?.stringValue ?? value?.integerValue.map { "\($0)" } ?? "-"
    }
}

/// A gateway's internal port, and the token that opens it.
private struct GatewayAsked {
    private let url: String
    private let token: String
    private let client = HTTPClient()

    init(_ options: Options) throws {
        url = options["url"] ?? "http://127.0.0.1:9090"
        let path = options["token-file"] ?? AsyncConfiguration().tokenPath
        guard let data = try? Data(contentsOf: URL(filePath: path)),
            let line = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline).first
        else { throw ProcessError("the token cannot be read from \(path); give --token-file") }
        token = String(line)
    }

    func ask(_ method: HTTPMethod, _ path: String) async throws -> JSONValue {
        let response = try await client.send(
            HTTPClientRequest(
                method, url: url + path, headers: HTTPHeaders([("Authorization", "Bearer \(token)")]),
                timeout: .seconds(30)))
        let answer = (try? JSONReader().parse(response.body)) ?? .null
        guard response.status.isSuccess else {
            throw ProcessError("the gateway answered \(response.status): \(answer["detail"]?.stringValue ?? "")")
        }
        return answer
    }
}
