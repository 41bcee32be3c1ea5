import Builds
import CRDs
import KubernetesTypes

/// How far one function of a commit is.
struct FunctionProgress: Sendable {
    /// The part of the way it is on.
    enum Stage: Sendable {
        case build, deploy
    }

    /// What the status says of it.
    var entry: RepositoryFunction
    var stage = Stage.build
    /// Whether a failure ends without a new commit or another request.
    var isFinal = true

    /// It waits, or is being worked on.
    init(
        _ name: String, objectName: String, commit: String, state: RepositoryFunctionState,
        reason: RepositoryReason? = nil, message: String? = nil
    ) {
        entry = RepositoryFunction(name: name, state: state)
        entry.objectName = objectName
        entry.commit = commit
        entry.reason = reason?.rawValue
        entry.message = message.map { Self.bounded($0) }
    }

    /// It has an image.
    func built(_ image: String) -> FunctionProgress {
        var progress = self
        progress.entry.image = image
        progress.entry.state = .built
        progress.stage = .deploy
        return progress
    }

    /// It failed.
    ///
    /// - Parameters:
    ///   - log: Goes below the message.
    ///   - isFinal: Whether nothing is tried again.
    func failed(_ failure: BuildFailure, log: String = "", isFinal: Bool) -> FunctionProgress {
        var progress = self
        progress.entry.state = .failed
        progress.entry.reason = failure.reason.rawValue
        progress.entry.message = Self.bounded(log.isEmpty ? failure.message : failure.message + "\n" + log)
        progress.isFinal = isFinal
        return progress
    }

    /// How the Function object does, once it says what is wanted.
    func following(_ function: Function) -> FunctionProgress {
        var progress = self
        progress.stage = .deploy
        let conditions = function.status?.conditions ?? []
        let ready = conditions.condition("Ready")
        let isCurrent =
            function.status?.observedGeneration == function.metadata.generation
            && ready?.observedGeneration == function.metadata.generation
        progress.entry.reason = nil
        progress.entry.message = nil
        guard isCurrent, let ready else {
            progress.entry.state = .deploying
            return progress
        }
        if ready.status == .true {
            progress.entry.state = .deployed
        } else if conditions.condition("Stalled")?.status == .true {
            progress.entry.state = .failed
            progress.entry.reason = RepositoryReason.functionNotReady.rawValue
            progress.entry.message = Self.bounded("\(ready.reason): \(ready.message)")
        } else {
            progress.entry.state = .deploying
            progress.entry.message = ready.message.isEmpty ? nil : Self.bounded("\(ready.reason): \(ready.message)")
        }
        return progress
    }

    var isFailed: Bool { entry.state == .failed }
    var isDeployed: Bool { entry.state == .deployed }

    private static func bounded(_ text: String) -> String {
        guard text.utf8.count > RepositoryFunction.messageMaximum else { return text }
        // The schema counts characters and etcd bytes: bytes are the stricter.
        var bytes = 0
        return String(
            text.unicodeScalars.prefix {
                bytes += String($0).utf8.count
                return bytes <= RepositoryFunction.messageMaximum
            }.map(Character.init))
    }
}
