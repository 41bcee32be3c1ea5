import Builds
import Commands

/// `farebox registry-auth`.
enum RegistryAuthCommand {
    static let description = CommandDescription(
        "registry-auth", section: .platform, "writes this machine's registry logins as an installation needs them",
        discussion: """
            Reads Docker's config.json, asks the credential helpers that it names (credsStore,
            credHelpers) for what they keep, and writes a config.json that holds the passwords
            itself: an installation has no keychain. Without names it takes every registry that
            the file knows. docs/admin.md says how it becomes the Secret farebox-registry.

            The passwords are in what is written, so it goes into a file or a pipe, never to a
            terminal. Nodes pull by a password alone: a login that is an identity token pushes,
            and nodes need another one.
            """,
        arguments: [
            .init("registry", isOptional: true, isRepeated: true, "hosts, such as registry.example.com (default: all)")
        ],
        options: [
            .init(
                "config", value: "FILE", completion: .file,
                "Docker's file (default $DOCKER_CONFIG/config.json, else ~/.docker/config.json)")
        ],
        examples: [
            "farebox registry-auth registry.example.com > registry.json",
            "farebox registry-auth > registry.json",
        ])

    /// Docker's file may not be larger.
    private static let bytesMaximum = 1 << 20

    static func run(_ options: Options, _ console: Console) async throws {
        guard !console.isTerminal else {
            throw UsageError(
                "registry-auth: the passwords would be on the screen; write them to a file: > registry.json")
        }
        let path = try path(options, console)
        guard let bytes = try await SmallFile.read(path, bytesMaximum: bytesMaximum) else {
            throw CommandFailure(
                .notFound, "there is no file \(TerminalText.line(path))",
                advice: "log in first, as with: docker login registry.example.com; or name a file: --config FILE")
        }
        let configuration: DockerConfiguration
        do {
            configuration = try DockerConfiguration(bytes)
        } catch {
            throw CommandFailure("\(TerminalText.line(path)): \(error)")
        }
        let named = options.arguments("registry").map { configuration.key(of: $0) }
        var logins: [String: RegistryCredentials.Login] = [:]
        let progress = Progress(console)
        defer { progress.end() }
        for key in named.isEmpty ? configuration.registries : named {
            progress.begin("looking for the login of \(TerminalText.line(key))")
            if let login = try await login(of: key, configuration, console) {
                logins[key] = login
            } else if !named.isEmpty {
                throw CommandFailure(
                    .notFound, "nobody is logged in to \(TerminalText.line(key)) on this machine",
                    advice: "log in first, as with: docker login \(TerminalText.line(key))")
            }
        }
        progress.end()
        guard !logins.isEmpty else {
            throw CommandFailure(
                .notFound, "\(TerminalText.line(path)) has no login", advice: "log in first: docker login")
        }
        let tokens = logins.filter { $0.value.identityToken != nil }.keys.sorted()
        if !tokens.isEmpty {
            console.note(
                "note: \(TerminalText.line(tokens.joined(separator: ", "))): an identity token; it pushes, and nodes cannot pull by it"
            )
        }
        console.write(RegistryCredentials.dockerConfig(logins))
    }

    private static func login(
        of key: String, _ configuration: DockerConfiguration, _ console: Console
    ) async throws -> RegistryCredentials.Login? {
        switch configuration.place(of: key) {
        case .none: return nil
        case .file(let login): return login
        case .helper(let name):
            do {
                let helper = try CredentialHelper(
                    name, search: console.variable("PATH") ?? "", environment: FolderOptions.environment())
                return try await helper.login(for: key)
            } catch let error as CredentialHelperError {
                throw CommandFailure(TerminalText.line("\(key): \(error)"))
            }
        }
    }

    private static func path(_ options: Options, _ console: Console) throws(CommandFailure) -> String {
        if let path = options["config"] { return path }
        if let folder = console.variable("DOCKER_CONFIG") { return folder + "/config.json" }
        guard let home = console.variable("HOME") else {
            throw CommandFailure("it is not known where Docker's config.json is", advice: "name it: --config FILE")
        }
        return home + "/.docker/config.json"
    }
}
