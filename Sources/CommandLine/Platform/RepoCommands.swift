import CRDs
import Commands
import JSON
import KubernetesClient
import KubernetesTypes
import Timing

/// `farebox repo add`, `list` and `sync`.
enum RepoCommands {
    static let add = CommandDescription(
        "repo add", section: .platform, "has a Git repository built and deployed",
        discussion: """
            Makes a Repository: each push to its branch is built, and its functions run. Without
            a webhook it is looked at every five minutes. For a private one make a Secret first
            (docs/git-hosts.md) and name it.
            """,
        arguments: [
            .init("url", "where to clone it: https, ssh, or git@host:owner/name"),
            .init("name", isOptional: true, "the Repository's name (default: owner-name of the URL)"),
        ],
        options: [
            .init("branch", value: "NAME", "what is built (default main)"),
            .init("stack-file", value: "PATH", "the stack file (default stack.yml, else stack.yaml or funko.yml)"),
            .init(
                "provider", value: "NAME", completion: .words(GitProvider.allCases.map(\.rawValue)),
                "the kind of Git host, where its address does not tell"),
            .init("credentials-secret", value: "NAME", "the Secret that opens it"),
            .init("interval", value: "TIME", "how often to look without a webhook (default 5m)"),
            .init("wait", short: "w", "wait until its functions run"),
            .init("timeout", value: "TIME", "how long to wait (default 15m)"),
        ] + Cluster.options,
        refusedOptions: Server.refusal,
        examples: [
            "farebox repo add https://github.com/alice/shop", "farebox repo add git@git.example.com:alice/shop.git -w",
        ])

    static let list = CommandDescription(
        "repo list", aliases: ["repo ls"], section: .platform,
        "lists repositories and what became of their last commit",
        options: [.init("all-namespaces", short: "A", "in all namespaces"), OutputFormat.option] + Cluster.options,
        refusedOptions: Server.refusal,
        examples: ["farebox repo list", "farebox repo list -o wide"])

    static let sync = CommandDescription(
        "repo sync", section: .platform, "looks at a repository's branch now",
        discussion: "Asks for what a push would: the branch's head is built and deployed where it is new.",
        arguments: [.init("name", completion: .repositories, "the Repository's name")],
        options: [
            .init("wait", short: "w", "wait until its functions run"),
            .init("timeout", value: "TIME", "how long to wait (default 15m)"),
        ] + Cluster.options,
        refusedOptions: Server.refusal,
        examples: ["farebox repo sync alice-shop --wait"])

    private static let limitDefault = Duration.seconds(900)

    static func runAdd(_ options: Options, _ console: Console) async throws {
        let limit = try options.duration("timeout") ?? limitDefault
        let url = try options.requiredArgument("url")
        var spec = RepositorySpec(url: url)
        spec.branch = options["branch"]
        spec.stackFile = options["stack-file"]
        spec.credentialsSecret = options["credentials-secret"]
        spec.interval = options["interval"]
        spec.provider = try options.choice("provider", of: GitProvider.allCases.map(\.rawValue))
            .flatMap(GitProvider.init(rawValue:))
        guard let name = options.argument("name") ?? RepositoryName.of(url), DNSName.isSubdomain(name) else {
            throw UsageError("<name>: no name can be made of the URL; give one of small letters, digits, - and .")
        }
        try await Server.refuse("repo add", options, console)
        let cluster = try Cluster(options, console)
        let metadata = ObjectMeta(name: name, namespace: cluster.namespace)
        let repository = Repository(metadata: metadata, spec: spec)
        if let violation = repository.validate().first { throw UsageError("repo add: \(violation)") }
        let title = Cluster.title(Repository.self, name, cluster.namespace)
        try await about(title) {
            do {
                _ = try await cluster.api.create(repository)
            } catch let error as KubernetesError where error.isAlreadyExists {
                throw CommandFailure(
                    .refused, "\(title) is there already", advice: "see it: farebox repo list -n \(cluster.namespace)")
            }
        }
        console.note("\(title): made")
        if options.has("wait") { try await wait(name, limit: limit, cluster, console, handled: nil) }
    }

    static func runList(_ options: Options, _ console: Console) async throws {
        let format = try OutputFormat(options)
        try await Server.refuse("repo list", options, console)
        let cluster = try Cluster(options, console)
        let isEverywhere = options.has("all-namespaces")
        let found = try await Progress(console).during("asking the cluster") {
            try await cluster.readAll(Repository.self, in: isEverywhere ? nil : cluster.namespace)
        }
        try console.show(
            Finding(
                table: table(found.map(\.object), isEverywhere: isEverywhere, now: .now),
                value: Finding.list(found.map(\.value)), names: found.map(\.name),
                absence: "There are no repositories" + (isEverywhere ? "." : " in namespace \(cluster.namespace).")),
            as: format)
    }

    /// The rows of some repositories.
    static func table(_ repositories: [Repository], isEverywhere: Bool, now: Timestamp) -> Table {
        let place: [Table.Column] = isEverywhere ? ["NAMESPACE"] : []
        var table = Table(
            place + [
                "NAME", "STATE", "FUNCTIONS", "COMMIT", "AGE", "BRANCH", Table.Column("URL", isWide: true),
                Table.Column("MESSAGE", isWide: true, isProse: true),
            ])
        for repository in repositories {
            let (word, mood, message) = RepositoryWait.state(repository)
            let place: [Table.Cell] = isEverywhere ? [Table.Cell(repository.metadata.namespace)] : []
            let commit = repository.status?.deployedCommit ?? repository.status?.observedCommit
            table.add(
                place + [
                    Table.Cell(repository.metadata.name), Table.Cell(word, mood),
                    Table.Cell(repository.status?.functionCount.map { "\($0)" }),
                    Table.Cell(commit.map { String($0.prefix(7)) }),
                    Table.Cell(Age.text(repository.metadata.creationTimestamp, now: now)),
                    Table.Cell(repository.spec.branch ?? RepositorySpec.branchDefault), Table.Cell(repository.spec.url),
                    Table.Cell(message),
                ])
        }
        return table
    }

    static func runSync(_ options: Options, _ console: Console) async throws {
        let limit = try options.duration("timeout") ?? limitDefault
        let name = try options.requiredArgument("name")
        try await Server.refuse("repo sync", options, console)
        let cluster = try Cluster(options, console)
        let stamp = Timestamp.now.rfc3339(.nanoseconds)
        let title = Cluster.title(Repository.self, name, cluster.namespace)
        try await about(title, absent: "see which there are: farebox repo list -n \(cluster.namespace)") {
            let change = Patch.merge([
                "metadata": ["annotations": .object([FareboxAnnotation.reconcileRequestedAt: .string(stamp)])]
            ])
            _ = try await cluster.api.patch(Repository.descriptor, cluster.key(name), change)
        }
        console.note("\(title): asked to look at its branch")
        if options.has("wait") { try await wait(name, limit: limit, cluster, console, handled: stamp) }
    }

    private static func wait(
        _ name: String, limit: Duration, _ cluster: Cluster, _ console: Console, handled: String?
    ) async throws {
        let progress = Progress(console)
        defer { progress.end() }
        let repository = try await RepositoryWait(cluster, progress).untilReady(name, limit: limit, handled: handled)
        progress.end()
        for function in repository.status?.functions ?? [] {
            console.note(
                "function \(TerminalText.line(function.objectName ?? function.name)): \(function.state.rawValue)")
        }
    }
}
