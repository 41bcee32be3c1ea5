import Builds
import CRDs
import Commands
import KubernetesClient
import KubernetesTypes
import Timing

/// `farebox up`.
enum UpCommand {
    static let description = CommandDescription(
        "up", aliases: ["deploy"], section: .folder, "builds a folder's functions and deploys them",
        discussion: """
            Builds each function as farebox build does, pushes its image, makes or changes the
            Function, waits until it works, and prints its URL. Done again it changes what
            differs. A function that a Repository deploys is left alone: push to it instead.

            With --server it deploys by the REST API, and builds by the builder that farebox
            login keeps for the server or --builder names, or here with --local.
            """,
        arguments: [
            .init(
                "folder", isOptional: true, isRepeated: true, completion: .folder,
                "folders with functions (default: this one)")
        ],
        options: BuildOptions.all + [
            .init("no-wait", "do not wait until the functions work"),
            .init("timeout", value: "TIME", "how long to wait for each (default 5m)"),
            .init("force", "take fields over that somebody else set"),
            OutputFormat.option,
        ] + Server.options,
        examples: [
            "farebox up", "farebox up quotes dice", "farebox up -f shop.yml --filter cart --tag digest",
            "farebox up --local --registry registry.example.com/alice",
        ])

    static func run(_ options: Options, _ console: Console) async throws {
        let limit = try options.duration("timeout") ?? FunctionWait.limitDefault
        let format = try OutputFormat(options)
        let folders = options.arguments("folder")
        if let server = try await Server.chosen(options, console) {
            return try await run(folders.isEmpty ? ["."] : folders, options, console, on: server, limit: limit)
        }
        var deployed: [(cluster: Cluster, functions: [FetchedObject<Function>])] = []
        for path in folders.isEmpty ? ["."] : folders {
            let folder = try await FolderOptions(path, options, console)
            try BuildOptions(options, console, folder).check()
            let cluster = try Cluster(options, console, namespace: folder.settings.namespace)
            let functions = try await deploy(folder, cluster, options, console, limit: limit)
            deployed.append((cluster, functions))
        }
        let all = deployed.flatMap(\.functions)
        if options.has("output"), let cluster = deployed.first?.cluster {
            try console.show(ListCommand.finding(all, cluster, isEverywhere: false, now: .now), as: format)
        } else {
            for function in all { say(function.object, isOne: all.count == 1, console) }
        }
    }

    /// Prints the URL, where there is one already.
    private static func say(_ function: Function, isOne: Bool, _ console: Console) {
        let url = function.status?.url ?? ""
        console.say(isOne ? url : function.metadata.name + "\t" + url)
    }

    private static func deploy(
        _ folder: FolderOptions, _ cluster: Cluster, _ options: Options, _ console: Console, limit: Duration
    ) async throws -> [FetchedObject<Function>] {
        let settings = try await about("the cluster's settings") { try await ClusterSettings.read(cluster.api) }
        let source = try await folder.source(cluster: settings)
        let build = BuildOptions(options, console, folder)
        let work = FolderBuild(
            source: source, build: build, console: console, namespace: cluster.namespace, settings: settings)
        // Before anything is built: whoever may not deploy it learns so at once.
        for entry in source.functions { try await checkOwnership(entry.stack.name, cluster) }
        let progress = Progress(console)
        defer { progress.end() }
        var applied: [String] = []
        var client: BuilderClient?
        for entry in source.functions {
            var image = entry.stack.image
            if !entry.stack.skipsBuild {
                let built = try await Self.build(entry, work, &client, progress) { cluster }
                image = try running(built, settings)
            }
            progress.begin("deploying \(entry.stack.name)")
            try await apply(entry.stack, image: image, cluster, isForced: options.has("force"))
            applied.append(entry.stack.name)
        }
        var functions: [FetchedObject<Function>] = []
        for name in applied {
            functions.append(
                options.has("no-wait")
                    ? try await cluster.function(name)
                    : try await FunctionWait(cluster, progress).untilReady(name, limit: limit))
        }
        return functions
    }

    /// Builds a function and pushes its image.
    ///
    /// - Parameters:
    ///   - client: The builder, once it was needed.
    ///   - cluster: For the cluster's own builder.
    /// - Throws: `CommandFailure`, `UsageError`, `CancellationError`.
    static func build(
        _ entry: SourceFolder.Entry, _ work: FolderBuild, _ client: inout BuilderClient?, _ progress: Progress,
        _ cluster: () throws -> Cluster
    ) async throws -> FolderBuild.Built {
        let name = try await work.image(entry)
        guard try work.build.place() == .remote else { return try await work.locally(entry, name, pushes: true) }
        let ready: BuilderClient
        if let client { ready = client } else { ready = try await work.build.client(cluster) }
        client = ready
        progress.begin("building \(entry.stack.name) by \(ready.place.name)")
        return try await work.remotely(entry, name, ready)
    }

    /// What nodes run of an image that was pushed: by digest where it is known, and by the name that they pull by.
    static func running(
        _ built: FolderBuild.Built, _ settings: ClusterSettings?
    ) throws(CommandFailure) -> String {
        do {
            let name =
                try built.digest.map { digest throws(ImageReferenceError) in
                    try built.image.pinned(to: digest)
                } ?? built.image
            guard let push = settings?.push else { return name.description }
            return ImageNaming(push: push, pull: settings?.pull).pullName(of: name.description)
        } catch {
            throw CommandFailure(.failed, "the builder's digest is none: \(error)")
        }
    }

    private static func checkOwnership(_ name: String, _ cluster: Cluster) async throws {
        do {
            try Cluster.requireOwn(try await cluster.function(name).object, to: "deploying")
        } catch let failure as CommandFailure where failure.code == .notFound {
            return
        }
    }

    private static func apply(
        _ stack: StackFunction, image: String, _ cluster: Cluster, isForced: Bool
    ) async throws {
        let change = try FunctionChange(stack, namespace: cluster.namespace, image: image, now: .now)
        do {
            _ = try await cluster.api.apply(change.function, as: FunctionChange.fieldManager, force: isForced)
        } catch let error as KubernetesError where error.isConflict {
            throw CommandFailure(
                .refused,
                "function \(stack.name): somebody else set what this would change: \(TerminalText.line("\(error)"))",
                advice: "take these fields over with --force")
        } catch let error as KubernetesError {
            throw CommandFailure(error, Cluster.title(Function.self, stack.name, cluster.namespace))
        }
    }
}
