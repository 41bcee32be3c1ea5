import Builds
import Commands
import Glibc

/// Where this program finds runtimes: those it came with, those of the project.
struct RuntimePlaces: Sendable {
    /// The folder that was named, if any; then it is the only one beside the project's own.
    var named: String?
    /// The path of this program.
    var program: String
    /// The project's folder, whose `template/` may hold runtimes as faas-cli puts them.
    var project: String?

    /// The variable that names the folder.
    static let variable = "FAREBOX_RUNTIMES"
    /// Where packages and the image put them.
    static let installed = "/usr/share/farebox/runtimes"

    /// The folders to try for the runtimes that this program came with, in this order.
    var candidates: [String] {
        if let named { return [named] }
        let parts = program.split(separator: "/").dropLast()
        func above(_ levels: Int) -> String { parts.dropLast(levels).map { "/" + $0 }.joined() }
        return [
            above(1) + "/share/farebox/runtimes", above(0) + "/runtimes", Self.installed,
            above(3) + "/runtimes",  // .build/<triple>/debug/farebox in a checkout
        ]
    }

    /// Reads them.
    ///
    /// - Throws: `CommandFailure` where there are none, and for one of the project's own that cannot be used.
    func catalog() async throws -> RuntimeCatalog {
        var sources: [[Runtime]] = []
        var problems: [String] = []
        if let folder = candidates.first(where: Self.isFolder) {
            let found = try await read(folder)
            sources.append(found.runtimes)
            problems += found.problems.map(\.description)
        } else if let named {
            throw CommandFailure(.notFound, "there is no folder \(named) with runtimes")
        }
        if let project, Self.isFolder(project + "/" + Runtime.sampleFolder) {
            let found = try await read(project + "/" + Runtime.sampleFolder)
            sources.append(found.runtimes)
            problems += found.problems.map(\.description)
        }
        if let problem = problems.first { throw CommandFailure(.failed, problem) }
        return RuntimeCatalog(sources)
    }

    private func read(_ folder: String) async throws -> FoundRuntimes {
        do {
            return try await RuntimeFolder(folder).read()
        } catch let error as RuntimeError {
            throw CommandFailure(.failed, error.description)
        }
    }

    private static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}

extension RuntimeCatalog {
    /// The runtime that somebody means: of exactly that name, or the only one whose name goes on with a dash, so that
    /// `python3` is `python3-http`.
    ///
    /// - Throws: `CommandFailure` with the names there are.
    func meant(by text: String) throws(CommandFailure) -> Runtime {
        if let runtime = runtime(text) { return runtime }
        let longer = names.filter { $0.hasPrefix(text + "-") }
        if longer.count == 1, let runtime = longer.first.flatMap(runtime) { return runtime }
        throw CommandFailure(
            .notFound,
            longer.isEmpty
                ? "there is no runtime '\(text.prefix(80))'" : "'\(text)' may be \(longer.joined(separator: " or "))",
            advice: names.isEmpty
                ? "no runtimes were found: name their folder with --runtimes or \(RuntimePlaces.variable)"
                : "use one of: " + (names + [Self.dockerfile]).joined(separator: ", "))
    }
}
