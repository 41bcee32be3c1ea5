import Builds
import Commands

/// `farebox build`.
enum BuildCommand {
    static let description = CommandDescription(
        "build", section: .folder, "builds the images of a folder's functions",
        discussion: """
            Builds in the cluster, where images go to its registry, or on this machine with
            --local, where they stay unless --push is given. The log is on standard error, the
            names of the images, with digests where known, on standard output.

            --shrinkwrap builds nothing: it writes what would be built to build/<function>,
            laid out as faas-cli does.
            """,
        arguments: [
            .init(
                "folder", isOptional: true, isRepeated: true, completion: .folder,
                "folders with functions (default: this one)")
        ],
        options: BuildOptions.all + [
            .init("push", "with --local: push the image"),
            .init("shrinkwrap", "write the build contexts to build/ and build nothing"),
        ] + Server.options,
        examples: [
            "farebox build", "farebox build quotes dice",
            "farebox build --local --registry registry.example.com/alice --push",
            "farebox build --builder http://127.0.0.1:8081 --payload-secret payload.txt",
            "farebox build --shrinkwrap && docker build build/hello",
        ])

    static func run(_ options: Options, _ console: Console) async throws {
        let folders = options.arguments("folder")
        for path in folders.isEmpty ? ["."] : folders {
            let folder = try await FolderOptions(path, options, console)
            if options.has("shrinkwrap") {
                try await shrinkwrap(folder, console)
            } else {
                try await build(folder, options, console)
            }
        }
    }

    private static func build(_ folder: FolderOptions, _ options: Options, _ console: Console) async throws {
        let server = try await Server.chosen(options, console, namespace: folder.settings.namespace)
        let build = BuildOptions(options, console, folder, account: server?.account)
        try build.check()
        if let server { try build.needBuilder(beside: server) }
        let place = try build.place()
        // A registry that is named, and a builder that is: then no cluster is needed.
        let needsCluster = place == .remote && build.builderURL == nil
        let cluster = needsCluster ? try Cluster(options, console, namespace: folder.settings.namespace) : nil
        var settings: ClusterSettings?
        if let cluster {
            settings = try await about("the cluster's settings") { try await ClusterSettings.read(cluster.api) }
        }
        let source = try await folder.source(cluster: settings)
        let work = FolderBuild(
            source: source, build: build, console: console,
            namespace: cluster?.namespace ?? server?.namespace ?? folder.settings.namespace
                ?? Cluster.functionsNamespace, settings: settings
        )
        var client: BuilderClient?
        for entry in source.functions {
            guard !entry.stack.skipsBuild else {
                console.note("\(entry.stack.name): skip_build is set; its image is there already")
                continue
            }
            let image: ImageReference
            let built: FolderBuild.Built
            switch place {
            case .local:
                image = try await work.localImage(entry)
                built = try await work.locally(entry, image, pushes: options.has("push"))
            case .remote:
                image = try await work.image(entry)
                let ready: BuilderClient
                if let client {
                    ready = client
                } else {
                    ready = try await build.client { try cluster ?? Cluster(options, console) }
                }
                client = ready
                console.note("building \(entry.stack.name) by \(ready.place.name)")
                built = try await work.remotely(entry, image, ready)
            }
            console.say(built.image.description + (built.digest.map { "@" + $0 } ?? ""))
        }
    }

    /// Writes what would be built.
    private static func shrinkwrap(_ folder: FolderOptions, _ console: Console) async throws {
        let source = try await folder.source(followsLinks: true)
        let root = folder.folder + "/build"
        try await SmallFile.ensureFolder(root)
        for entry in source.functions where !entry.stack.skipsBuild {
            let path = root + "/" + entry.stack.name
            await ContextFolder.remove(path)
            do {
                _ = try await ContextFolder(path: path, layout: .shrinkwrap).write(
                    entry.stack, runtime: entry.runtime, from: source.tree)
            } catch let failure as BuildFailure {
                throw CommandFailure(failure, in: folder.folder)
            }
            console.say(path)
        }
    }
}
