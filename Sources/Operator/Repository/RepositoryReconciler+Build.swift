import Builds
import CRDs
import ControllerRuntime
import KubernetesClient
import KubernetesTypes
import Telemetry
import Timing

extension RepositoryReconciler {
    /// Builds and deploys what is not built and deployed; each function for itself.
    func build(_ source: PreparedSource, _ commit: String, _ pass: inout Pass) async throws {
        let builds = board.builds(of: pass.repository.metadata.uid).filter { !office.hasDeleted($0) }
        var wanted: Set<String> = []
        var progress: [FunctionProgress] = []
        for function in source.functions {
            let one = One(
                function: function, identity: pass.repository.identity(ofFunction: function.stack.name), commit: commit)
            do {
                progress.append(try await advance(one, builds, &wanted, &pass))
            } catch let failure as BuildFailure {
                // The registry, the store or the quota: look again soon.
                pass.requeue(after: polls.registry)
                progress.append(one.progress(.building).failed(failure, isFinal: false))
            } catch let error as KubernetesError where error.isForbidden || error.isInvalid || error.isNotFound {
                pass.requeue(after: polls.obstacle)
                progress.append(
                    one.progress(.building).failed(
                        BuildFailure(.builderFailed, "the API server refuses the build: \(error)"), isFinal: false))
            } catch let error as ChildIsGoing {
                pass.requeue(after: polls.collection)
                progress.append(one.progress(.building, message: "\(error)"))
            } catch let error as ChildError {
                progress.append(meet(error, one, &pass))
            }
        }
        pass.outlook.functions = keeper.linked(progress, builds: builds, of: pass.repository)
        queue.keep(wanted, of: pass.repository.metadata.uid)
        tellIgnored(source, commit, pass)
        try await endOldBuilds(builds, wanted: wanted, source: source, commit: commit, pass)
    }

    /// One function of one commit.
    struct One {
        let function: PreparedFunction
        let identity: FunctionIdentity
        let commit: String

        func progress(
            _ state: RepositoryFunctionState, reason: RepositoryReason? = nil, message: String? = nil
        ) -> FunctionProgress {
            var progress = FunctionProgress(
                function.stack.name, objectName: identity.objectName, commit: commit, state: state, reason: reason,
                message: message)
            progress.entry.imageTag = function.image.description
            return progress
        }
    }

    private func advance(
        _ one: One, _ builds: [ObservedBuild], _ wanted: inout Set<String>, _ pass: inout Pass
    ) async throws -> FunctionProgress {
        guard DNSName.isLabel(one.identity.objectName) else {
            return one.progress(.failed).failed(
                BuildFailure(
                    .invalid,
                    "'\(one.identity.objectName)' is no name for a Function: it must have at most 63 lower-case letters, "
                        + "digits and '-'; shorten the function's name, or set the annotation \(FareboxAnnotation.owner) on the "
                        + "Repository"), isFinal: true)
        }
        let context: BuildContext
        switch one.function.context {
        case nil: return try await deploy(one, nil, image: one.function.stack.image, &pass)
        case .failure(let failure): return one.progress(.failed).failed(failure, isFinal: true)
        case .success(let value): context = value
        }
        if let image = reusableImage(one, context, pass) {
            return try await deploy(one, context, image: image, &pass)
        }
        let mine = builds.filter { $0.makes(one.function, inputsDigest: context.inputsDigest) }
        guard let build = mine.max(by: { $0.attempt < $1.attempt }) else {
            if let failed = rememberedFailure(one, pass) { return failed }
            return try await start(one, context, attempt: 1, &wanted, pass)
        }
        wanted.insert(build.job.metadata.name)
        switch build.outcome {
        case .waiting(let obstacle):
            try await office.equip(build, request(one, context, attempt: build.attempt, pass))
            let obstacle = obstacle ?? lateness(of: build, &pass)
            return one.progress(.building, reason: obstacle?.reason, message: obstacle?.message)
        case .running: return one.progress(.building)
        case .succeeded(let digest):
            count(build, "success")
            let image = try await office.confirm(build.image ?? one.function.image, digest: digest)
            return try await deploy(one, context, image: image, &pass)
        case .failed(let failure):
            count(build, failure.reason.rawValue)
            return try await meet(failure, build, one, context, &wanted, &pass)
        }
    }

    /// What to say of a build whose pod does not come: quotas and admission rules are told to the Job only.
    private func lateness(of build: ObservedBuild, _ pass: inout Pass) -> BuildFailure? {
        guard build.pod == nil, let created = build.job.metadata.creationTimestamp?.timestamp else { return nil }
        let age = Timestamp.now - created
        guard age >= polls.podPatience else {
            pass.requeue(after: polls.podPatience - age)
            return nil
        }
        return BuildFailure(
            .builderFailed,
            "the build's pod is not made; kubectl describe job \(build.job.metadata.name) -n "
                + "\(build.job.metadata.namespace) says why")
    }

    // MARK: - Images

    /// The image that the same inputs gave before: nothing has to be built.
    ///
    /// It is on the Function; when that is gone, it is in the status of the same commit.
    private func reusableImage(_ one: One, _ context: BuildContext, _ pass: Pass) -> String? {
        let prefix = office.pullName(of: one.function.image) + "@"
        if let function = ownFunction(one.identity.objectName, of: pass.repository) {
            let isSame = function.metadata.annotations[BuildJob.inputsAnnotation] == context.inputsDigest
            return isSame && Self.isPinned(function.spec.image, prefix) ? function.spec.image : nil
        }
        guard !pass.isFresh,
            let entry = pass.repository.status?.functions.first(where: { $0.name == one.function.stack.name }),
            entry.commit == one.commit, let image = entry.image, Self.isPinned(image, prefix)
        else { return nil }
        return image
    }

    private static func isPinned(_ image: String, _ prefix: String) -> Bool {
        image.hasPrefix(prefix) && ImageReference.isDigest(String(image.dropFirst(prefix.count)))
    }

    /// A failure that is in the status although its Job is gone: somebody tidied up, and nothing else changed.
    private func rememberedFailure(_ one: One, _ pass: Pass) -> FunctionProgress? {
        guard !pass.isFresh,
            let entry = pass.repository.status?.functions.first(where: { $0.name == one.function.stack.name }),
            entry.commit == one.commit, entry.state == .failed,
            let reason = entry.reason.flatMap({ RepositoryReason(rawValue: $0) }), reason.isBuildsOwn
        else { return nil }
        var progress = one.progress(.failed)
        progress.entry = entry
        return progress
    }

    private func request(_ one: One, _ context: BuildContext, attempt: Int, _ pass: Pass) -> BuildJob.Request {
        let repository = pass.repository
        return BuildJob.Request(
            repository: repository.key, repositoryUID: repository.metadata.uid, owner: one.identity.owner.display,
            function: one.function.stack.name, commit: one.commit, inputsDigest: context.inputsDigest,
            contextDigest: context.digest,
            image: one.function.image,
            arguments: (repository.spec.build?.args ?? [:])
                .merging(one.function.stack.buildArguments) { _, own in own },
            timeout: repository.spec.build?.timeout.flatMap { Duration(goStyle: $0) }, attempt: attempt)
    }

    private func start(
        _ one: One, _ context: BuildContext, attempt: Int, _ wanted: inout Set<String>, _ pass: Pass
    ) async throws -> FunctionProgress {
        let request = request(one, context, attempt: attempt, pass)
        let ticket = BuildQueue.Ticket(
            job: office.jobName(of: request), repository: pass.repository.key,
            repositoryUID: pass.repository.metadata.uid, owner: one.identity.owner.lowercased,
            since: pass.repository.requestedAt)
        wanted.insert(ticket.job)
        clock.begin(ticket.job)
        guard queue.admits(ticket, present: board.present) else {
            return one.progress(.pending, reason: .queued, message: queue.limits.message)
        }
        do {
            if try await office.start(request) {
                metrics.stage(.queue, took: clock.end(ticket.job))
                RepositoryAudit(log: audit, repository: pass.repository).began(request)
            }
        } catch {
            queue.release(ticket.job)
            throw error
        }
        return one.progress(.building)
    }

    /// A build that failed: its log's end for its author; another try when it was not its own fault.
    private func meet(
        _ failure: BuildFailure, _ build: ObservedBuild, _ one: One, _ context: BuildContext,
        _ wanted: inout Set<String>, _ pass: inout Pass
    ) async throws -> FunctionProgress {
        let isFinal = !failure.reason.isTransient || build.attempt >= polls.attemptsMaximum
        let failed = await describe(failure, build, one, isFinal: isFinal, pass)
        guard !isFinal else { return failed }
        let wait = polls.buildBackoff.delay(afterFailures: build.attempt)
        let ended = build.finishedAt?.timestamp ?? .now
        let rest = wait - (Timestamp.now - ended)
        guard rest <= .zero else {
            pass.requeue(after: rest)
            return failed
        }
        if failure.reason == .contextFetchFailed {
            // The store may have lost it: fetch the commit, and store its contexts, once more.
            loader.forgetSource(uid: pass.repository.metadata.uid)
            try await office.delete(build)
            pass.requeue(after: .milliseconds(10))
            return one.progress(.building)
        }
        return try await start(one, context, attempt: build.attempt + 1, &wanted, pass)
    }

    private func describe(
        _ failure: BuildFailure, _ build: ObservedBuild, _ one: One, isFinal: Bool, _ pass: Pass
    ) async -> FunctionProgress {
        let known = pass.repository.status?.functions.first { $0.name == one.function.stack.name }
        // The log was read when this failure was first seen; reading it again would change nothing.
        if !pass.isFresh, let known, known.commit == one.commit, known.state == .failed,
            known.reason == failure.reason.rawValue
        {
            var progress = one.progress(.failed)
            progress.entry = known
            progress.isFinal = isFinal
            return progress
        }
        let account = await office.account(
            of: build, failure, logBytesMaximum: RepositoryFunction.messageMaximum - 600)
        return one.progress(.failed).failed(account.failure, log: account.log, isFinal: isFinal)
    }

    private func count(_ build: ObservedBuild, _ result: String) {
        guard office.countsFirstTime(build) else { return }
        let took = build.finishedAt.flatMap { end in
            build.job.metadata.creationTimestamp.map { end.timestamp - $0.timestamp }
        }
        metrics.built(result, took: took)
        let container = build.pod?.status?.containerStatuses.first { $0.name == BuildJob.containerName }
        guard let run = container?.state?.terminated, let began = run.startedAt, let ended = run.finishedAt else {
            return
        }
        metrics.stage(.start, took: build.job.metadata.creationTimestamp.map { began.timestamp - $0.timestamp })
        metrics.stage(.build, took: ended.timestamp - began.timestamp)
    }

    // MARK: - Functions

    private func deploy(
        _ one: One, _ context: BuildContext?, image: String, _ pass: inout Pass
    ) async throws -> FunctionProgress {
        let repository = pass.repository
        let built = one.progress(.built).built(image)
        var desired = Function(
            metadata: metadata(one, context, repository),
            spec: one.function.stack.specification(
                owner: one.identity.owner, image: image,
                source: FunctionSource(
                    repository: repository.metadata.name, commit: one.commit, handler: one.function.stack.handler,
                    runtime: one.function.stack.skipsBuild ? nil : one.function.stack.runtime)))
        desired.spec.payment = FunctionPayment(desired.spec.payment, defaults: repository.spec.payment)
        let observed = functions.get(desired.key)
        do {
            let outcome = try await writer.apply(desired, observed: observed, owner: repository)
            if outcome != .unchanged { clock.begin(rolloutKey(one.identity.objectName, repository), anew: true) }
            if outcome == .terminating { throw ChildIsGoing(child: "Function \(desired.key)") }
            guard outcome == .unchanged, let observed else {
                var progress = built
                progress.entry.state = .deploying
                return progress
            }
            return built.following(observed)
        } catch let error as KubernetesError where error.isInvalid || error.isForbidden {
            pass.requeue(after: polls.obstacle)
            return built.failed(
                BuildFailure(
                    error.isInvalid ? .invalid : .quotaExceeded, "the API server refuses the Function: \(error)"),
                isFinal: error.isInvalid)
        } catch let error as ChildError {
            return meet(error, one, &pass, image: image)
        }
    }

    private func metadata(_ one: One, _ context: BuildContext?, _ repository: Repository) -> ObjectMeta {
        var labels = one.identity.labels
        labels[FareboxLabel.managedBy] = FareboxLabel.managedByFarebox
        labels[FareboxLabel.repository] = LabelValue.sanitised(repository.metadata.name)
        labels[FareboxLabel.commit] = LabelValue.sanitised(one.commit)
        var annotations = one.identity.annotations
        annotations[FareboxAnnotation.branch] = repository.branch
        annotations[BuildJob.inputsAnnotation] = context?.inputsDigest
        return ObjectMeta(
            name: one.identity.objectName, namespace: repository.metadata.namespace, labels: labels,
            annotations: annotations)
    }

    private func meet(_ error: ChildError, _ one: One, _ pass: inout Pass, image: String? = nil) -> FunctionProgress {
        var progress = one.progress(.building)
        if let image { progress = progress.built(image) }
        switch error {
        case .awaitsGarbageCollection, .ownerIsBeingDeleted:
            pass.requeue(after: polls.collection)
            progress.entry.message = "\(error)"
            return progress
        case .controlledByAnother, .notOurs, .wrongNamespace:
            pass.requeue(after: polls.obstacle)
            return progress.failed(
                BuildFailure(
                    .nameTaken,
                    "\(error); give this function another name, or delete that object"), isFinal: true)
        }
    }

    // MARK: - Order

    /// Ends builds that nobody waits for, and keeps the newest finished one of each function, for its log.
    private func endOldBuilds(
        _ builds: [ObservedBuild], wanted: Set<String>, source: PreparedSource, commit: String, _ pass: Pass
    ) async throws {
        let names = Set(source.functions.map { LabelValue.sanitised($0.stack.name) })
        var kept: [String: ObservedBuild] = [:]
        for build in builds where build.outcome.isFinished && names.contains(build.function) {
            let isNewer =
                (kept[build.function]?.job.metadata.creationTimestamp?.timestamp ?? .earliest)
                <= (build.job.metadata.creationTimestamp?.timestamp ?? .earliest)
            if isNewer { kept[build.function] = build }
        }
        for build in builds where !wanted.contains(build.job.metadata.name) {
            let hasOther = builds.contains { $0.function == build.function && wanted.contains($0.job.metadata.name) }
            if !hasOther, kept[build.function]?.job.metadata.uid == build.job.metadata.uid { continue }
            if keeper.holds(build) { continue }
            try await end(build, commit: commit, pass)
        }
    }

    /// Ends what still builds another commit than the wanted one.
    func endBuilds(notOf commit: String, _ pass: Pass) async throws {
        for build in board.builds(of: pass.repository.metadata.uid)
        where !build.outcome.isFinished && build.commit != commit && !office.hasDeleted(build) {
            try await end(build, commit: commit, pass)
        }
    }

    private func end(_ build: ObservedBuild, commit: String, _ pass: Pass) async throws {
        try await office.delete(build)
        guard !build.outcome.isFinished else { return }
        recorder?.record(
            on: pass.repository, type: .normal, reason: RepositoryReason.superseded.rawValue, action: "Build",
            note: "ended the build of \(build.function) at \(build.commit.prefix(7)): "
                + "commit \(commit.prefix(7)) is wanted now")
    }

    private func tellIgnored(_ source: PreparedSource, _ commit: String, _ pass: Pass) {
        guard !source.ignored.isEmpty,
            pass.repository.status?.functions.contains(where: { $0.commit == commit }) != true
        else { return }
        recorder?.record(
            on: pass.repository, type: .warning, reason: "StackFieldsIgnored", action: "Read",
            note: "the stack file sets what Farebox does not act on: \(source.ignored.joined(separator: ", "))")
    }
}

extension RepositoryReason {
    /// Whether a build itself failed, so that doing the same again would fail again.
    fileprivate var isBuildsOwn: Bool {
        switch self {
        case .stepFailed, .outOfMemory, .timeout, .dockerfileMissing: true
        default: false
        }
    }
}
