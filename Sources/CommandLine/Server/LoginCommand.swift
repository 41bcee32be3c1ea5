import Commands
import HTTP
import JSON

/// `farebox login`.
enum LoginCommand {
    static let description = CommandDescription(
        "login", section: .program, "lets commands use an installation's REST API",
        discussion: """
            Reads the administrator's password, or with --token a token of the cluster, from
            the terminal without showing it, else from standard input; asks the server whether
            it is right; and keeps it in ~/.config/farebox/servers.json, which nobody else may
            read.

            up, build, list, status, invoke, logs, scale, remove and secret then take --server
            URL, or the variable FAREBOX_SERVER (FAASO_SERVER means the same), or, where there
            is no kubeconfig, the server of the last login. In place of a login the variable
            FAREBOX_TOKEN may hold a token. Everything else needs a kubeconfig.

            A server of OpenFaaS' kind builds nothing: --builder, --payload-secret and
            --registry are kept for up and build. --ca is kept, too. Logging in again changes
            what is given and leaves the rest.
            """,
        arguments: [
            .init(
                "server", isOptional: true,
                "the URL of the REST API (default: FAREBOX_SERVER, else FAASO_SERVER)")
        ],
        options: [
            .init("username", short: "u", value: "NAME", "the administrator's name (default admin)"),
            .init("token", short: "t", "a token is read, not a password"),
            CertificateAuthorities.option,
            .init("builder", value: "URL", "the builder that goes with the server"),
            .init("payload-secret", value: "FILE", completion: .file, "what the builder's requests are signed with"),
            .init("registry", value: "PREFIX", "where images go, as registry.example.com/alice"),
        ],
        examples: [
            "farebox login https://faas.example.com",
            "kubectl create token alice | farebox login https://faas.example.com --token",
            "farebox login https://faas.example.com --registry r.example.com/alice",
        ])

    private static let nameDefault = "admin"

    static func run(_ options: Options, _ console: Console) async throws {
        guard !(options.has("token") && options.has("username")) else {
            throw UsageError("--token: a token says itself who you are; leave --username out")
        }
        let address = try address(options, console)
        if address.isOpenToEavesdroppers {
            console.note("note: \(address.url) is plain http: whoever is on the way can read what you send")
        }
        let extras = try await extras(options, address)
        try await logIn(to: address, try await credentials(options), console, extras)
    }

    /// What is kept beside the credentials.
    private static func extras(
        _ options: Options, _ address: ServerAddress
    ) async throws -> @Sendable (inout ServerAccount) -> Void {
        let authorities = try await CertificateAuthorities.read(options)
        if authorities != nil, address.url.hasPrefix("http://") {
            throw UsageError("--ca: \(address.url) is plain http, which has no certificates")
        }
        if let url = options["builder"] { _ = try AddressedBuilder(url) }
        let path = options["payload-secret"].map(SmallFile.absolute)
        if let path, !SmallFile.exists(path) { throw CommandFailure(.notFound, "there is no file \(path)") }
        let (builder, registry) = (options["builder"], options["registry"])
        return { account in
            account.authorities = authorities ?? account.authorities
            account.builder = builder ?? account.builder
            account.payloadSecret = path ?? account.payloadSecret
            account.registry = registry ?? account.registry
        }
    }

    /// Asks the server whether credentials are right, and keeps them.
    ///
    /// - Throws: `CommandFailure`.
    static func logIn(
        to address: ServerAddress, _ credentials: ServerCredentials, _ console: Console,
        _ extras: (inout ServerAccount) -> Void = { _ in }
    ) async throws {
        let file = try AccountsFile(console)
        var accounts = try await file.read()
        var account = accounts.entries[address] ?? ServerAccount(credentials)
        account.credentials = credentials
        extras(&account)
        let server = Server(address, account: account)
        try await Progress(console).during("asking \(address.url)") { try await check(server) }
        accounts.logIn(address, account)
        try await file.write(accounts)
        console.note("logged in to \(address.url) as \(credentials.title); kept in \(TerminalText.line(file.path))")
        if Server.hasKubeconfig(console) {
            console.note("  there is a kubeconfig too; to use the server: export \(Server.variable)=\(address.url)")
        }
    }

    /// The server that is typed, or that a variable names.
    ///
    /// - Throws: `UsageError`.
    static func address(_ options: Options, _ console: Console) throws -> ServerAddress {
        let text =
            options.argument("server") ?? console.variable(Server.variable) ?? console.variable(Server.faasoVariable)
        guard let text else { throw UsageError("name the server, as in: farebox login https://faas.example.com") }
        return try ServerAddress(text)
    }

    private static func credentials(_ options: Options) async throws -> ServerCredentials {
        let isToken = options.has("token")
        var bytes =
            InputFile.isTerminal
            ? try await SecretPrompt.read(isToken ? "Token: " : "Password: ")
            : try InputFile.standardInput(bytesMaximum: ServerCredentials.bytesMaximum + 2)
        while let last = bytes.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw UsageError("login: what was given is no text in UTF-8")
        }
        return isToken
            ? try ServerCredentials(token: text)
            : try ServerCredentials(name: options["username"] ?? nameDefault, password: text)
    }

    /// Asks what only somebody known is told.
    ///
    /// - Throws: `CommandFailure`.
    private static func check(_ server: Server) async throws {
        let object = "the REST API at \(server.address.url)"
        let bytes: [UInt8]
        do {
            bytes = try await server.send(.get, "/system/info", about: object)
        } catch let failure as CommandFailure where failure.code == .refused {
            throw CommandFailure(.refused, "\(object) does not know these credentials")
        } catch let failure as CommandFailure where failure.code == .notFound {
            throw CommandFailure(
                .notFound, "there is no REST API at \(server.address.url)",
                advice: "it is a component of its own, and not the gateway: docs/openfaas-api.md")
        }
        guard let value = try? JSONReader().parse(bytes), value["provider"] != nil else {
            throw CommandFailure("\(object) answers something else than OpenFaaS' REST API")
        }
    }
}
