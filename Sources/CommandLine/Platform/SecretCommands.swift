import CRDs
import Commands
import KubernetesTypes
import Timing

/// `farebox secret set`, `list` and `remove`.
enum SecretCommands {
    static let set = CommandDescription(
        "secret set", section: .platform, "makes a Secret for functions, or changes its value",
        discussion: """
            Takes the value from a file, or from standard input, where it has no place in the
            history of the shell; a line's end after it is left out there. A function that
            names the Secret finds the value in the files /var/openfaas/secrets/<name> and
            /secrets/<name>; a changed one reaches it within about a minute.
            """,
        arguments: [.init("name", completion: .secrets, "its name")],
        options: [
            .init("from-file", value: "FILE", completion: .file, "take the value from a file, byte for byte"),
            .init("owner", value: "NAME", "whose functions may see it, where functions have an owner"),
        ] + Server.options,
        examples: [
            "farebox secret set db-password < password.txt",
            "openssl rand -base64 24 | farebox secret set api-key --owner alice",
        ])

    static let list = CommandDescription(
        "secret list", aliases: ["secret ls"], section: .platform, "lists the Secrets for functions, without values",
        options: [OutputFormat.option] + Server.options, examples: ["farebox secret list"])

    static let remove = CommandDescription(
        "secret remove", aliases: ["secret rm", "secret delete"], section: .platform, "removes a Secret for functions",
        discussion: "A function that names it does not start again until there is one.",
        arguments: [.init("name", completion: .secrets, "its name")],
        options: [.init("force", "also where functions name it")] + Server.options,
        examples: ["farebox secret remove db-password"])

    /// etcd takes no more than about 1 MiB for an object; the API server refuses Secrets above it.
    private static let valueBytesMaximum = 1 << 20

    static func runSet(_ options: Options, _ console: Console) async throws {
        let name = try options.requiredArgument("name")
        guard DNSName.isSubdomain(name) else {
            throw UsageError(
                "<name>: '\(TerminalText.line(String(name.prefix(60))))' is no name of a Secret: small letters, digits, - and ."
            )
        }
        if let owner = options["owner"], !LabelValue.isValid(owner) || owner.isEmpty {
            throw UsageError("--owner: '\(TerminalText.line(String(owner.prefix(60))))' is no owner's name")
        }
        if let server = try await Server.chosen(options, console) {
            return try await runSet(name, options, console, on: server)
        }
        let cluster = try Cluster(options, console)
        let value = try value(options, console)
        let hasChanged = try await FunctionSecretStore(cluster).set(name, value, owner: options["owner"])
        console.note("secret \(name) in namespace \(cluster.namespace): \(hasChanged ? "changed" : "made")")
    }

    static func runList(_ options: Options, _ console: Console) async throws {
        if let server = try await Server.chosen(options, console) {
            return try await runList(options, console, on: server)
        }
        let format = try OutputFormat(options)
        let cluster = try Cluster(options, console)
        let secrets = try await FunctionSecretStore(cluster).list()
        var table = Table(["NAME", "OWNER", "AGE"])
        for secret in secrets {
            table.add([
                Table.Cell(secret.name),
                Table.Cell(secret.annotations[FareboxAnnotation.owner] ?? secret.labels[FareboxLabel.owner]),
                Table.Cell(Age.text(secret.creationTimestamp, now: .now)),
            ])
        }
        let items = secrets.map { secret in
            Finding.metadataOnly(Secret.descriptor, secret)
        }
        try console.show(
            Finding(
                table: table, value: Finding.list(items), names: secrets.map { "secret/\($0.name)" },
                absence: "There are no Secrets for functions in namespace \(cluster.namespace)."), as: format)
    }

    static func runRemove(_ options: Options, _ console: Console) async throws {
        if let server = try await Server.chosen(options, console) {
            return try await runRemove(options, console, on: server)
        }
        let name = try options.requiredArgument("name")
        let cluster = try Cluster(options, console)
        let store = FunctionSecretStore(cluster)
        try await store.require(name)
        if !options.has("force") {
            let users = try await cluster.readAll(Function.self, in: cluster.namespace).map(\.object)
                .filter { $0.spec.secrets.contains(name) }.map(\.metadata.name)
            if let refusal = refusal("secret \(name) in namespace \(cluster.namespace)", users: users) { throw refusal }
        }
        try await store.remove(name)
        console.note("secret \(name) in namespace \(cluster.namespace): removed")
    }

    /// Why a Secret is not removed that functions name; nil when none does.
    static func refusal(_ title: String, users: [String]) -> CommandFailure? {
        guard !users.isEmpty else { return nil }
        return CommandFailure(
            .refused,
            "\(title) is named by " + users.prefix(5).joined(separator: ", ") + (users.count > 5 ? " and others" : ""),
            advice: "take it out of these functions first, or say --force")
    }

    /// The value that was given.
    ///
    /// - Throws: `UsageError` where there is none, `CommandFailure` where it cannot be read.
    static func value(_ options: Options, _ console: Console) throws -> [UInt8] {
        if let path = options["from-file"] { return try InputFile.read(path, bytesMaximum: valueBytesMaximum) }
        guard !InputFile.isTerminal else {
            throw UsageError("secret set: give the value on standard input, or a file: --from-file FILE")
        }
        var value = try InputFile.standardInput(bytesMaximum: valueBytesMaximum)
        if value.last == UInt8(ascii: "\n") { value.removeLast() }
        if value.last == UInt8(ascii: "\r") { value.removeLast() }
        guard !value.isEmpty else { throw UsageError("secret set: the value is empty") }
        return value
    }
}
