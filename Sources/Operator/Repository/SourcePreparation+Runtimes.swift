import Builds
import CRDs
import KubernetesTypes

extension SourcePreparation {
    /// The runtimes that the functions of a commit may name: the cluster's, and by the administrator's leave the commit's own.
    ///
    /// - Throws: ``BuildFailure`` when the commit brings runtimes that it may not, or that cannot be used.
    func catalog(for tree: some SourceTree) async throws -> RuntimeCatalog {
        let catalog = try await runtimes.catalog()
        guard Self.bringsRuntimes(tree) else { return catalog }
        guard configuration.builds.allowsOwnTemplates, configuration.builds.allowsDockerfile else {
            throw BuildFailure(
                .runtimeUnknown,
                "the commit brings runtimes of its own in the folder \(Runtime.sampleFolder), which is switched off here; remove "
                    + "the folder and use one of: \(catalog.names.joined(separator: ", "))")
        }
        let own: FoundRuntimes
        do {
            own = try await RuntimeTree().read(tree, path: Runtime.sampleFolder, source: "the commit")
        } catch let error as RuntimeError {
            throw BuildFailure(.stackInvalid, error.description)
        }
        if let problem = own.problems.first { throw BuildFailure(.stackInvalid, problem.description) }
        return RuntimeCatalog([catalog.all, own.runtimes], gaps: catalog.gaps)
    }

    /// Whether there is `template/<name>/template.yml` or a Dockerfile in its place, as faas-cli puts templates.
    private static func bringsRuntimes(_ tree: some SourceTree) -> Bool {
        tree.entries(below: Runtime.sampleFolder).contains { entry in
            let parts = entry.path.split(separator: "/")
            return parts.count == 3 && ["template.yml", "Dockerfile", "Dockerfile.j2"].contains(parts[2])
        }
    }

    /// Does what reads a stack; a name that is not known is no fault of the author's while runtimes are missing.
    static func withoutBlame<R>(
        _ catalog: RuntimeCatalog, _ body: () async throws -> R
    ) async throws -> R {
        do {
            return try await body()
        } catch let failure as BuildFailure where failure.reason == .runtimeUnknown && !catalog.gaps.isEmpty {
            let gaps = catalog.gaps.map { "\($0.source): \($0.message)" }.joined(separator: "; ")
            throw BuildFailure(
                .runtimeUnavailable,
                String(
                    "\(failure.message); it may be one of those that cannot be read now: \(gaps)".prefix(
                        RepositoryFunction.messageMaximum)))
        }
    }

    /// The runtime of a function; nil for a Dockerfile of its own.
    ///
    /// - Throws: ``BuildFailure`` when there is none of that name.
    static func runtime(of function: StackFunction, in catalog: RuntimeCatalog) throws(BuildFailure) -> Runtime? {
        guard function.runtime != RuntimeCatalog.dockerfile else { return nil }
        guard let runtime = catalog.runtime(function.runtime) else {
            throw BuildFailure(
                .runtimeUnknown,
                "function \(function.name): the runtime '\(function.runtime)' is not known; known: "
                    + catalog.names.joined(separator: ", "))
        }
        return runtime
    }
}

extension Repository {
    /// Whether its commit names a runtime that was not known when it was looked at.
    var lacksRuntime: Bool {
        status?.conditions.condition(RepositoryCondition.sourceFetched.rawValue)?.reason
            == RepositoryReason.runtimeUnknown.rawValue
    }
}
