import Commands
import JSON

// What the commands for Secrets do where a server's REST API stands in the place of a cluster.

extension SecretCommands {
    static func runSet(_ name: String, _ options: Options, _ console: Console, on server: Server) async throws {
        try server.refuse(["owner"], of: options)
        let value = try value(options, console)
        let hasChanged = try await server.setSecret(name, value)
        console.note("\(server.title("secret", name)): \(hasChanged ? "changed" : "made")")
    }

    static func runList(_ options: Options, _ console: Console, on server: Server) async throws {
        let format = try OutputFormat(options)
        let secrets = try await server.secrets()
        var table = Table(["NAME", "NAMESPACE"])
        for secret in secrets {
            table.add([Table.Cell(secret["name"]?.stringValue), Table.Cell(secret["namespace"]?.stringValue)])
        }
        try console.show(
            Finding(
                table: table, value: .array(secrets), names: secrets.map { "secret/\($0["name"]?.stringValue ?? "")" },
                absence: "There are no Secrets for functions at \(server.address.url)."), as: format)
    }

    static func runRemove(_ options: Options, _ console: Console, on server: Server) async throws {
        let name = try options.requiredArgument("name")
        if !options.has("force") {
            let users = try await server.functions().filter { $0.secrets.contains(name) }.map(\.name)
            if let refusal = refusal(server.title("secret", name), users: users) { throw refusal }
        }
        try await server.removeSecret(name)
        console.note("\(server.title("secret", name)): removed")
    }
}
