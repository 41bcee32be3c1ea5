import Commands
import HTTP
import KubernetesClient
import KubernetesTypes
import Timing

extension CommandFailure {
    /// Tells an error of the API server in words for a person.
    ///
    /// - Parameters:
    ///   - error: What was thrown.
    ///   - object: What it was about, such as `function hello in farebox-functions`.
    ///   - advice: What to do when the object does not exist.
    init(_ error: any Error, _ object: String, absent advice: String? = nil) {
        switch error {
        case let failure as CommandFailure: self = failure
        case let usage as UsageError: self.init(.usage, usage.description)
        case is DeadlineExceeded: self.init(.timedOut, "\(object): not in time")
        case let error as KubernetesError: self.init(kubernetes: error, object, advice)
        case let error as HTTPClientError:
            if case .timedOut = error {
                self.init(.timedOut, "\(object): \(error)")
            } else {
                self.init("\(object): \(error)")
            }
        default: self.init("\(object): \(error)")
        }
    }

    private init(kubernetes error: KubernetesError, _ object: String, _ advice: String?) {
        let said = TerminalText.line("\(error)")
        if error.isNotFound {
            guard error.status?.details?.name.isEmpty == false else {
                self.init(
                    .notFound, "\(object): the cluster does not know this kind of object",
                    advice: "install Farebox on it (docs/admin.md), or choose another: --context NAME")
                return
            }
            self.init(.notFound, "\(object) does not exist", advice: advice)
        } else if error.isForbidden {
            self.init(
                .refused, "\(object): you may not do that: \(said)",
                advice: "ask the cluster's administrator for the right that the message names")
        } else if error.isUnauthorized {
            self.init(
                .refused, "\(object): the cluster does not know you: the kubeconfig's credentials are missing or over",
                advice: "log in to the cluster anew, then see: kubectl auth can-i list functions.farebox.dev")
        } else if error.isConflict {
            self.init(.refused, "\(object): somebody else changed it: \(said)", advice: "look at it, then try again")
        } else if error.isInvalid {
            self.init(.refused, "\(object): the cluster refuses it: \(said)")
        } else if case .transport(let cause, _) = error {
            var code = ExitCode.failed
            if case .timedOut = cause { code = .timedOut }
            self.init(
                code, "\(object): the cluster cannot be reached: \(TerminalText.line("\(cause)"))",
                advice: "check the address in the kubeconfig: kubectl cluster-info")
        } else {
            self.init("\(object): \(said)")
        }
    }
}

/// Does something with the API server and tells its errors in words for a person.
///
/// - Parameters:
///   - object: What it is about.
///   - advice: What to do when the object does not exist.
/// - Throws: `CommandFailure`, or `CancellationError`.
func about<Answer>(
    _ object: String, absent advice: String? = nil, _ body: () async throws -> Answer
) async throws -> Answer {
    do {
        return try await body()
    } catch let error as CancellationError {
        throw error
    } catch {
        throw CommandFailure(error, object, absent: advice)
    }
}
