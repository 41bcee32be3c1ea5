import Builds
import CRDs
import ControllerRuntime
import GitHosts
import KubernetesTypes

/// What a Git host should show for the commits of one Repository, by what the Repository's status says.
///
/// Pure: the same status gives the same reports, so a process that starts anew wants nothing else. One context is for the
/// repository (`stack-deploy`), one for each function. What was deployed once stays a success, whatever becomes of it
/// later; a commit that a newer one overtook is cancelled.
struct StatusReports: Sendable {
    let repository: Repository
    let status: RepositoryStatus
    let target: StatusTarget

    /// What is said of a commit that a newer one overtook.
    static let superseded = "superseded by a newer commit"

    /// All reports, in the order in which they are told.
    var wanted: [CommitReport] {
        guard !isSuspended else { return overtaken }
        return overtaken + current
    }

    // MARK: - The newest commit

    private var current: [CommitReport] {
        guard let commit = status.observedCommit else { return [] }
        let functions = status.functions.filter { $0.commit == commit }.compactMap { report($0, commit) }
        guard let stack = stack(commit) else { return functions }
        // A beginning is told by the repository first, an end by the functions first.
        return stack.report.state.isFinal ? functions + [stack] : [stack] + functions
    }

    private func stack(_ commit: String) -> CommitReport? {
        func report(_ state: StatusState, _ text: String) -> CommitReport {
            self.report(stackContext, state, text, commit)
        }
        if status.deployedCommit == commit { return report(.success, "stack is successfully deployed") }
        if let latest = status.history.first, latest.commit == commit, latest.result == .skipped {
            return report(.skipped, "skipping build: the message of the commit asks for it")
        }
        if let failure = sourceFailure(commit) { return report(.failure, failure) }
        let functions = status.functions
        let isKnown = !functions.isEmpty && functions.allSatisfy { $0.commit == commit }
        if isKnown, functions.allSatisfy({ $0.state == .deployed || $0.state == .failed }) {
            let failed = functions.filter { $0.state == .failed }
            if !failed.isEmpty, failed.allSatisfy(isFinal) {
                let names = failed.map(\.name).joined(separator: ",")
                return report(.failure, "deploy failed: \(names) failed to be deployed")
            }
        }
        // The Repository itself cannot work: no commit is to blame, and none is promised anything.
        if isStalled, !isKnown { return nil }
        return report(.pending, "\(owner.lowercased)-\(repositoryName) stack deploy is in progress")
    }

    /// Why the commit as a whole cannot be used; the message begins with the reason.
    private func sourceFailure(_ commit: String) -> String? {
        guard isStalled, let latest = status.history.first, latest.commit == commit, latest.result == .failed,
            let condition = status.conditions.condition(RepositoryCondition.sourceFetched.rawValue),
            condition.status == .false, condition.reason == latest.reason
        else { return nil }
        return "\(condition.reason): \(Self.firstLine(condition.message))"
    }

    // MARK: - Functions

    private func report(_ function: RepositoryFunction, _ commit: String) -> CommitReport? {
        if status.deployedCommit == commit || function.state == .deployed {
            let name = function.objectName ?? repository.identity(ofFunction: function.name).objectName
            return report(context(function), .success, "deployed: \(name)", commit)
        }
        switch function.state {
        case .building:
            let image = function.imageTag.map { ", image: \($0)" } ?? ""
            return report(context(function), .pending, "\(function.name) function build started\(image)", commit)
        case .failed where isFinal(function): return failure(function, commit)
        case .failed:
            let reason = function.reason.map { " (\($0))" } ?? ""
            return report(context(function), .pending, "\(function.name) is tried again\(reason)", commit)
        // Its build was told of; its end will be.
        case .pending, .built, .deploying, .deployed: return nil
        }
    }

    private func failure(_ function: RepositoryFunction, _ commit: String) -> CommitReport {
        let message = function.message ?? ""
        let reason = function.reason.flatMap { RepositoryReason(rawValue: $0) }
        let cause = "\(function.reason ?? "Failed"): \(Self.firstLine(message))"
        let isBuild = reason.map(Self.isOfBuild) ?? false
        let text = isBuild ? "Unable to build image, check builder logs: " + cause : cause
        var result = report(context(function), .failure, text, commit)
        if let url = function.logURL { result.report.targetURL = url }
        result.report.text = message.contains(where: \.isNewline) ? message : nil
        return result
    }

    /// Whether nothing is tried again without somebody's doing.
    private func isFinal(_ function: RepositoryFunction) -> Bool {
        isStalled || function.reason.flatMap { RepositoryReason(rawValue: $0) }?.isTransient == false
    }

    /// Whether the builder's log is where the cause is.
    private static func isOfBuild(_ reason: RepositoryReason) -> Bool {
        switch reason {
        case .stepFailed, .outOfMemory, .timeout, .pushFailed, .builderFailed, .contextFetchFailed, .evicted,
            .registryAuthFailed, .registryUnreachable:
            true
        default: false
        }
    }

    // MARK: - Commits that were given up

    private var overtaken: [CommitReport] {
        var seen: Set<String> = []
        let commits = status.history.reversed().filter {
            $0.result == .superseded && $0.commit != status.observedCommit && $0.commit != status.deployedCommit
                && seen.insert($0.commit).inserted
        }
        return commits.flatMap { run in
            let functions = status.functions.filter { $0.commit == run.commit && $0.state != .deployed }
            return functions.map { cancelled(context($0), run.commit) } + [cancelled(stackContext, run.commit)]
        }
    }

    /// Says that nobody looked at a commit before a newer one took its place.
    func overtaken(_ commit: String) -> CommitReport { cancelled(stackContext, commit) }

    private func cancelled(_ context: String, _ commit: String) -> CommitReport {
        report(context, .cancelled, Self.superseded, commit)
    }

    // MARK: - Form

    private func report(_ context: String, _ state: StatusState, _ text: String, _ commit: String) -> CommitReport {
        let subject = StatusTarget.Subject(
            context: context, isStack: context == stackContext, owner: owner, repository: repositoryName,
            commit: commit,
            repositoryURL: repositoryURL)
        return CommitReport(
            commit: commit,
            report: StatusReport(
                context: context, state: state, description: text, targetURL: target.url(for: state, subject)))
    }

    /// Environments of one repository may be at the same commit: each has contexts of its own.
    private var stackContext: String { StatusReport.stackContext(suffix: repository.spec.nameSuffix) }

    private func context(_ function: RepositoryFunction) -> String {
        repository.identity(ofFunction: function.name).function
    }

    private var isStalled: Bool { status.conditions.condition(Conditions.stalled)?.status == .true }

    private var isSuspended: Bool {
        status.conditions.condition(Conditions.ready)?.reason == RepositoryReason.suspended.rawValue
    }

    private var owner: OwnerName { repository.owner }

    private var gitURL: GitURL? { try? GitURL(repository.spec.url, allowsPlainHTTP: true) }

    private var repositoryName: String { gitURL?.repository ?? repository.metadata.name }

    /// The address for people: hosts refuse a target that is no http URL.
    private var repositoryURL: String {
        guard let gitURL, gitURL.scheme == "ssh" else { return repository.spec.url }
        return "https://" + gitURL.host + gitURL.path
    }

    private static func firstLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
    }
}
