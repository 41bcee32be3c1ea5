import CRDs
import Cryptography
import Synchronization

@testable import Builds
@testable import Operator

/// A Git host and an artifact store that hold what the test says.
///
/// What they really do is tested where they are; here it matters what the controller makes of their answers.
final class StubSource: SourcePreparing {
    /// One function of a commit: its name, and what its files hold.
    struct Function: Sendable {
        let name: String
        let files: String
        var failure: BuildFailure?
        /// An image that is there already.
        var image: String?
    }

    private struct State {
        var commits: [String: Result<[Function], BuildFailure>] = [:]
        var secrets: [String: [SealedSecret]] = [:]
        var head: Result<String, BuildFailure>?
        var prepared: [String] = []
        var looks = 0
        var isHanging = false
        var skipped: Set<String> = []
    }

    private let state = Mutex(State())
    private let naming: ImageNaming

    init(naming: ImageNaming) { self.naming = naming }

    /// The commits that were fetched so far.
    var prepared: [String] { state.withLock { $0.prepared } }
    /// How often the branch was looked at.
    var looks: Int { state.withLock { $0.looks } }

    /// Puts a commit on the host: functions by name, with a text that stands for their files.
    func put(_ commit: String, _ functions: [String: String], isHead: Bool = true) {
        let list = functions.sorted { $0.key < $1.key }.map { Function(name: $0.key, files: $0.value) }
        put(commit, .success(list), isHead: isHead)
    }

    func put(_ commit: String, _ result: Result<[Function], BuildFailure>, isHead: Bool = true) {
        state.withLock { state in
            state.commits[commit] = result
            if isHead { state.head = .success(commit) }
        }
    }

    /// Makes the message of a commit ask not to be built.
    func skip(_ commit: String) { state.withLock { _ = $0.skipped.insert(commit) } }

    /// Lets a commit bring sealed Secrets of these names.
    func bring(_ names: [String], with commit: String) {
        let secrets = names.map { SealedSecret(name: $0, values: ["key": "QUJD"]) }
        state.withLock { $0.secrets[commit] = secrets }
    }

    func setHead(_ head: Result<String, BuildFailure>) { state.withLock { $0.head = head } }

    /// Whether nobody gets an answer any more.
    func hang(_ isHanging: Bool) { state.withLock { $0.isHanging = isHanging } }

    func prepare(_ request: SourceRequest) async throws -> PreparedSource {
        try await waitWhileHanging()
        let result = state.withLock { state in
            state.prepared.append(request.commit)
            return state.commits[request.commit]
        }
        if request.honoursMessage, state.withLock({ $0.skipped.contains(request.commit) }) {
            return PreparedSource(functions: [], ignored: [], isSkipped: true)
        }
        guard let result else { throw BuildFailure(.gitRevisionNotFound, "no such commit") }
        let functions = try result.get().map { function in
            var stack = StackFunction(
                name: function.name, runtime: "dockerfile", handler: function.name, image: function.name)
            if let image = function.image {
                stack.image = image
                stack.skipsBuild = true
                return PreparedFunction(stack: stack, image: try ImageReference(parsing: image), context: nil)
            }
            let inputs = SHA256.hash(of: function.files + "\(request.buildArguments)").hex
            let context = BuildContext(
                digest: SHA256.hash(of: inputs + request.commit).hex, inputsDigest: inputs, sizeBytes: 1, fileCount: 1)
            return PreparedFunction(
                stack: stack,
                image: try naming.image(
                    stackImage: function.name, owner: request.owner.display, repository: "shop",
                    branch: request.branch, commit: request.commit),
                context: function.failure.map { .failure($0) } ?? .success(context))
        }
        return PreparedSource(
            functions: functions, ignored: [], secrets: state.withLock { $0.secrets[request.commit] ?? [] })
    }

    func head(_ request: HeadRequest) async throws -> String {
        try await waitWhileHanging()
        let head = state.withLock { state in
            state.looks += 1
            return state.head
        }
        guard let head else { throw BuildFailure(.gitBranchNotFound, "no branch") }
        return try head.get()
    }

    private func waitWhileHanging() async throws {
        while state.withLock({ $0.isHanging }) { try await ContinuousClock().sleep(for: .milliseconds(5)) }
    }
}
