import Builds
import CRDs
import KubernetesTypes

/// Turns a commit into contexts in the artifact store.
protocol SourcePreparing: Sendable {
    /// - Throws: ``BuildFailure``; `CancellationError`; `KubernetesError` when the API server is away.
    func prepare(_ request: SourceRequest) async throws -> PreparedSource

    /// The commit that the branch of a Repository points at.
    func head(_ request: HeadRequest) async throws -> String
}

/// Which branch is to be looked at.
struct HeadRequest: Hashable, Sendable {
    let uid: String
    let url: String
    let branch: String
    let access: GitAccess

    init(_ repository: Repository) {
        uid = repository.metadata.uid
        url = repository.spec.url
        branch = repository.branch
        access = GitAccess(repository)
    }
}

/// The real thing: a confined `git`, tars on the scratch volume, the artifact store.
struct SourcePreparation: SourcePreparing {
    let configuration: RepositoryClusterConfiguration
    let rules: StackRules
    let checkout: GitCheckout
    let artifacts: ArtifactAccess
    let runtimes: any RuntimeSupplying
    let credentials: GitCredentialSource
    let metrics: RepositoryMetrics

    init(
        configuration: RepositoryClusterConfiguration, rules: StackRules, artifacts: ArtifactAccess,
        runtimes: any RuntimeSupplying, credentials: GitCredentialSource, metrics: RepositoryMetrics
    ) {
        self.configuration = configuration
        self.rules = rules
        self.artifacts = artifacts
        self.runtimes = runtimes
        self.credentials = credentials
        self.metrics = metrics
        checkout = GitCheckout(configuration: configuration.gitConfiguration)
    }

    func prepare(_ request: SourceRequest) async throws -> PreparedSource {
        let url = try GitURL(request.url, allowsPlainHTTP: configuration.git.allowsPlainHTTP)
        let store = try await artifacts.store()
        return try await withCredentials(request.access, url) { credentials in
            try await prepare(request, url, credentials, store)
        }
    }

    private func prepare(
        _ request: SourceRequest, _ url: GitURL, _ credentials: GitCredentials?, _ store: any ArtifactStore
    ) async throws -> PreparedSource {
        let begun = ContinuousClock.now
        return try await checkout.withTree(
            commit: request.commit, branch: request.branch, url: url, credentials: credentials
        ) { tree in
            let fetched = ContinuousClock.now
            metrics.stage(.checkout, took: begun.duration(to: fetched))
            defer { metrics.stage(.context, took: fetched.duration(to: .now)) }
            if request.honoursMessage, CommitMessage.asksToSkip(try await tree.message()) {
                return PreparedSource(functions: [], ignored: [], isSkipped: true)
            }
            let catalog = try await catalog(for: tree)
            var rules = rules
            rules.runtimes = catalog.names
            let source = try await Self.withoutBlame(catalog) { [rules] in
                try await SourceFunctions.read(
                    from: tree, stackFile: request.stackFile, rules: rules, variables: variables(request, url))
            }
            let sealed = try await SealedSecretFile.read(
                from: tree, owner: request.owner, namespace: request.repository.namespace, rules: rules)
            var functions: [PreparedFunction] = []
            for function in source.functions {
                functions.append(try await prepare(function, request, url, tree, store, catalog))
            }
            return PreparedSource(
                functions: functions, ignored: source.ignored + sealed.ignored, secrets: sealed.secrets)
        }
    }

    func head(_ request: HeadRequest) async throws -> String {
        let url = try GitURL(request.url, allowsPlainHTTP: configuration.git.allowsPlainHTTP)
        return try await withCredentials(request.access, url) { credentials in
            try await checkout.head(of: request.branch, url: url, credentials: credentials)
        }
    }

    /// What `${…}` in a stack file can stand for: the Repository's build arguments and what is built; nothing of this
    /// process.
    private func variables(_ request: SourceRequest, _ url: GitURL) -> [String: String] {
        let known = [
            "FAREBOX_OWNER": request.owner.display, "FAREBOX_REPOSITORY": url.repository,
            "FAREBOX_BRANCH": request.branch, "FAREBOX_COMMIT": request.commit,
        ]
        return request.buildArguments.merging(known) { _, known in known }
    }

    private func prepare(
        _ function: StackFunction, _ request: SourceRequest, _ url: GitURL, _ tree: GitTree, _ store: any ArtifactStore,
        _ catalog: RuntimeCatalog
    ) async throws -> PreparedFunction {
        let image: ImageReference
        do {
            if function.skipsBuild {
                return PreparedFunction(
                    stack: function, image: try ImageReference(parsing: function.image), context: nil)
            }
            image = try configuration.naming.image(
                stackImage: function.image, owner: request.owner.display, repository: url.repository,
                branch: request.branch, commit: request.commit)
        } catch {
            throw BuildFailure(.invalid, "the image of function \(function.name) cannot be named: \(error)")
        }
        do {
            let runtime = try Self.runtime(of: function, in: catalog)
            let function = try function.adapted(to: runtime, arguments: request.buildArguments)
            let context = try await BuildContext.withTar(
                of: function, runtime: runtime, arguments: request.buildArguments, image: image, from: tree,
                in: configuration.git.scratchFolder, limits: configuration.contextLimits
            ) { context, path in
                try await store.store(path: path, digest: context.digest)
                return context
            }
            return PreparedFunction(stack: function, image: image, context: .success(context))
        } catch let failure as BuildFailure where !failure.reason.isTransient {
            // One function that cannot be built does not keep the others from it.
            return PreparedFunction(stack: function, image: image, context: .failure(failure))
        }
    }

    /// Runs `body` with what lets us in; what the host refuses is given up, so that the next try gets something new.
    private func withCredentials<R: Sendable>(
        _ access: GitAccess, _ url: GitURL, _ body: (GitCredentials?) async throws -> R
    ) async throws -> R {
        let found = try await credentials.gitCredentials(for: access, url: url)
        do {
            return try await body(found)
        } catch let failure as BuildFailure where failure.reason == .gitAuthFailed {
            await credentials.discard(found, for: access)
            throw failure
        }
    }
}
