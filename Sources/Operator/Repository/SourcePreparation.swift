import Builds
import CRDs
import KubernetesClient
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
    let namespace: String
    let url: String
    let branch: String
    let credentialsSecret: String?

    init(_ repository: Repository) {
        uid = repository.metadata.uid
        namespace = repository.metadata.namespace
        url = repository.spec.url
        branch = repository.branch
        credentialsSecret = repository.spec.credentialsSecret
    }
}

/// The real thing: a confined `git`, tars on the scratch volume, the artifact store.
struct SourcePreparation: SourcePreparing {
    let configuration: RepositoryClusterConfiguration
    let rules: StackRules
    let checkout: GitCheckout
    let artifacts: ArtifactAccess
    let runtimes: any RuntimeSupplying
    let api: any KubernetesAPI

    init(
        configuration: RepositoryClusterConfiguration, rules: StackRules, artifacts: ArtifactAccess,
        runtimes: any RuntimeSupplying, api: any KubernetesAPI
    ) {
        self.configuration = configuration
        self.rules = rules
        self.artifacts = artifacts
        self.runtimes = runtimes
        self.api = api
        checkout = GitCheckout(configuration: configuration.gitConfiguration)
    }

    func prepare(_ request: SourceRequest) async throws -> PreparedSource {
        let url = try GitURL(request.url, allowsPlainHTTP: configuration.git.allowsPlainHTTP)
        let credentials = try await credentials(request.credentialsSecret, namespace: request.repository.namespace)
        let store = try await artifacts.store()
        return try await checkout.withTree(
            commit: request.commit, branch: request.branch, url: url, credentials: credentials
        ) { tree in
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
            let sealed = try await SealedSecretFile.read(from: tree, owner: request.owner, rules: rules)
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
        let credentials = try await credentials(request.credentialsSecret, namespace: request.namespace)
        return try await checkout.head(of: request.branch, url: url, credentials: credentials)
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

    /// The user and password that `spec.credentialsSecret` names.
    private func credentials(_ name: String?, namespace: String) async throws -> GitCredentials? {
        guard let name else { return nil }
        let secret: Secret
        do {
            secret = try await api.get(Secret.self, ObjectKey(namespace: namespace, name: name))
        } catch let error as KubernetesError where error.isNotFound {
            throw BuildFailure(
                .credentialsMissing,
                "the Secret \(name) of spec.credentialsSecret does not exist in namespace \(namespace); create it with the "
                    + "keys username and password")
        }
        func text(_ key: String) -> String? {
            secret[key].map { String(decoding: $0, as: UTF8.self).filter { !$0.isNewline } }
        }
        guard let password = text("password"), !password.isEmpty else {
            throw BuildFailure(
                .credentialsMissing,
                "the Secret \(name) of spec.credentialsSecret has no key password (a token goes there)")
        }
        return GitCredentials(username: text("username") ?? "git", password: password)
    }
}
