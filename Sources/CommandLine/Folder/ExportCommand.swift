import Builds
import Commands

/// `farebox export`.
enum ExportCommand {
    static let description = CommandDescription(
        "export", section: .folder, "writes a folder that builds without Farebox",
        discussion: """
            Merges the handler with its runtime and writes what a build gets: a folder with a
            Dockerfile that docker, podman, buildah and BuildKit build as it is. Build
            arguments have become defaults of the Dockerfile, variables part of the image.
            Secrets, limits and scaling stay behind: they are the platform's.

            With several functions each gets a folder of its own inside of the new one.
            """,
        arguments: [
            .init("source", completion: .folder, "the folder with stack.yml or funko.yml"),
            .init("destination", completion: .folder, "the folder to make; it must not be there yet"),
        ],
        options: FolderOptions.reading,
        examples: [
            "farebox export . ../hello-standalone", "farebox export quotes /tmp/quotes && buildah build /tmp/quotes",
        ])

    static func run(_ options: Options, _ console: Console) async throws {
        let folder = try await FolderOptions(try options.requiredArgument("source"), options, console)
        let destination = try options.requiredArgument("destination")
        let source = try await folder.source()
        let functions = source.functions.filter { !$0.stack.skipsBuild }
        guard let only = functions.first else {
            throw CommandFailure(.notFound, "there is nothing to build in \(folder.folder)")
        }
        if functions.count == 1 {
            try await write(only, source, to: destination)
        } else {
            try await SmallFile.makeFolder(destination)
            for function in functions { try await write(function, source, to: destination + "/" + function.stack.name) }
        }
        console.say(destination)
    }

    /// Writes one function.
    ///
    /// - Throws: `CommandFailure`.
    static func write(_ entry: SourceFolder.Entry, _ source: SourceFolder, to path: String) async throws {
        var variables = entry.stack.environment
        if let process = entry.stack.process { variables[StackFunction.processVariable] = process }
        do {
            _ = try await ContextFolder(path: path, layout: .standalone).write(
                entry.stack, runtime: entry.runtime, from: source.tree
            ) { [variables] in
                StandaloneDockerfile.rewritten($0, arguments: entry.arguments, variables: variables)
            }
        } catch let failure as BuildFailure {
            throw CommandFailure(failure, in: source.tree.path)
        }
    }
}
