import Builds
import CRDs
import Commands
import Glibc

/// A folder with functions, read and ready to be built.
struct SourceFolder: Sendable {
    /// One function, with what its folder is merged with.
    struct Entry: Sendable {
        /// The function, with what its runtime decides.
        let stack: StackFunction
        /// Its runtime; nil for a Dockerfile of its own.
        let runtime: Runtime?
        /// Build arguments: the function's own, and what was typed.
        let arguments: [String: String]
    }

    /// What to read, and how.
    struct Request: Sendable {
        /// The folder.
        var path: String
        /// The stack file, from the folder; nil for the usual names.
        var stackFile: String?
        /// Only functions with these names; all when empty.
        var names: [String] = []
        /// Build arguments that were typed; they win.
        var arguments: [String: String] = [:]
        /// What `${…}` in the stack file can stand for.
        var variables: [String: String] = [:]
        /// What functions may set.
        var rules = SourceFolder.rules
        /// Whether links count as what they lead to, as for faas-cli.
        var followsLinks = false
    }

    let tree: FolderTree
    /// In the order of the stack file, then of the folders with a `funko.yml`.
    let functions: [Entry]
    /// What the files set and nothing acts on, each with its place.
    let ignored: [String]

    /// What functions may set where the cluster was not asked: its defaults.
    static let rules: StackRules = {
        var rules = StackRules(
            allowedLabels: ["team", "project", "environment", "version"],
            allowedAnnotations: [
                "topic", "schedule", "com.openfaas.*", "interledger.org/payment-pointer", "prometheus.io/*",
            ])
        rules.allowedImages = ["*"]
        return rules
    }()

    /// Reads it.
    ///
    /// - Throws: `CommandFailure`.
    static func read(_ request: Request, catalog: RuntimeCatalog) async throws -> SourceFolder {
        do {
            // Beside a stack file `build` is faas-cli's working folder, where functions would be found a second time.
            let hasStack =
                request.stackFile != nil
                || StackFile.defaultNames.contains { name in
                    access(request.path + "/" + name, F_OK) == 0
                }
            let tree = try await FolderTree.read(
                request.path, followsLinks: request.followsLinks, leavesOut: { hasStack && $0 == "build" })
            var rules = request.rules
            rules.runtimes = catalog.names
            let source = try await SourceFunctions.read(
                from: tree, stackFile: request.stackFile, rules: rules, variables: request.variables)
            let functions = try chosen(source.functions, request.names)
            return SourceFolder(
                tree: tree, functions: try functions.map { try entry($0, catalog, request) }, ignored: source.ignored)
        } catch let failure as BuildFailure {
            throw CommandFailure(failure, in: request.path)
        }
    }

    private static func chosen(
        _ functions: [StackFunction], _ names: [String]
    ) throws(CommandFailure) -> [StackFunction] {
        guard !names.isEmpty else { return functions }
        let known = functions.map(\.name)
        if let name = names.first(where: { !known.contains($0) }) {
            throw CommandFailure(
                .notFound, "the folder has no function '\(name.prefix(80))'",
                advice: "it has: " + known.joined(separator: ", "))
        }
        return functions.filter { names.contains($0.name) }
    }

    private static func entry(
        _ function: StackFunction, _ catalog: RuntimeCatalog, _ request: Request
    ) throws(BuildFailure) -> Entry {
        guard !function.skipsBuild, function.runtime != RuntimeCatalog.dockerfile else {
            return Entry(
                stack: function, runtime: nil,
                arguments: function.buildArguments.merging(request.arguments) { _, typed in typed })
        }
        let runtime = catalog.runtime(function.runtime)
        let adapted = try function.adapted(to: runtime, arguments: request.arguments)
        // Packages were joined above: those that were typed are among them.
        var arguments = request.arguments
        arguments[RuntimeManifest.packagesArgument] = nil
        return Entry(
            stack: adapted, runtime: runtime,
            arguments: adapted.buildArguments.merging(arguments) { _, typed in typed })
    }
}

extension CommandFailure {
    /// What the reader of a commit says, for somebody who has a folder.
    init(_ failure: BuildFailure, in folder: String) {
        switch failure.reason {
        case .stackMissing:
            self.init(
                .notFound, "\(folder) has neither a stack.yml nor a folder with a funko.yml",
                advice: "farebox new --runtime python3 NAME starts one")
        default:
            self.init(
                .failed,
                failure.message.replacing("is not in the commit", with: "is not in \(folder)")
                    .replacing("the commit has", with: "\(folder) has"))
        }
    }
}
