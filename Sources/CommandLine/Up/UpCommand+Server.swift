import Builds
import Commands
import Timing

// What `up` does where a server's REST API stands in the place of a cluster.

extension UpCommand {
    static func run(
        _ folders: [String], _ options: Options, _ console: Console, on server: Server, limit: Duration
    ) async throws {
        let format = try OutputFormat(options)
        try server.refuse(["force"], of: options)
        var functions: [RemoteFunction] = []
        for path in folders {
            let folder = try await FolderOptions(path, options, console)
            let place = try await Server.chosen(options, console, namespace: folder.settings.namespace) ?? server
            functions += try await deploy(folder, place, options, console, limit: limit)
        }
        if options.has("output") {
            try console.show(
                ListCommand.finding(functions, server.address, isEverywhere: false, now: .now), as: format)
        } else {
            for function in functions {
                let url = function.url(at: server.address)
                console.say(functions.count == 1 ? url : function.name + "\t" + url)
            }
        }
    }

    private static func deploy(
        _ folder: FolderOptions, _ server: Server, _ options: Options, _ console: Console, limit: Duration
    ) async throws -> [RemoteFunction] {
        let choices = BuildOptions(options, console, folder, account: server.account)
        try choices.check()
        let source = try await folder.source()
        if source.functions.contains(where: { !$0.stack.skipsBuild }) { try choices.needBuilder(beside: server) }
        // Before anything is built: whoever may not deploy it, or says what no function may, learns so at once.
        var deployments: [ServerDeployment] = []
        for entry in source.functions {
            deployments.append(try ServerDeployment(entry.stack, namespace: server.namespace))
            try await checkOwnership(entry.stack.name, server)
        }
        let work = FolderBuild(
            source: source, build: choices, console: console, namespace: server.namespace ?? Cluster.functionsNamespace)
        let progress = Progress(console)
        defer { progress.end() }
        var client: BuilderClient?
        for (entry, deployment) in zip(source.functions, deployments) {
            var image = entry.stack.image
            if !entry.stack.skipsBuild {
                let built = try await build(entry, work, &client, progress) { try Cluster(options, console) }
                image = try running(built, nil)
            }
            progress.begin("deploying \(entry.stack.name)")
            for note in try await server.deploy(deployment, image: image) { console.note("note: \(note)") }
        }
        var functions: [RemoteFunction] = []
        for deployment in deployments {
            functions.append(
                options.has("no-wait")
                    ? try await server.function(deployment.name)
                    : try await server.untilReady(deployment.name, limit: limit, progress))
        }
        return functions
    }

    private static func checkOwnership(_ name: String, _ server: Server) async throws {
        do {
            guard let repository = try await server.function(name).state?.repository else { return }
            throw CommandFailure(
                .refused,
                "\(server.title("function", name)) is deployed by the repository \(TerminalText.line(repository))",
                advice: "push to the repository instead")
        } catch let failure as CommandFailure where failure.code == .notFound {
            return
        }
    }
}
