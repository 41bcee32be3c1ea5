import Builds
import CRDs
import Commands
import KubernetesTypes
import Timing

/// The Function object that `up` applies for a function of a folder.
struct FunctionChange: Sendable {
    /// Who owns the fields that are applied.
    static let fieldManager = "farebox-cli"

    /// What to apply.
    let function: Function

    /// Decides it.
    ///
    /// - Parameters:
    ///   - stack: The function, as the folder and its runtime have it.
    ///   - namespace: Where it goes.
    ///   - image: What it runs, best by digest.
    ///   - now: A tag is looked up once for each new value of this.
    /// - Throws: `CommandFailure` for what no function may set.
    init(_ stack: StackFunction, namespace: String, image: String, now: Timestamp) throws(CommandFailure) {
        let spec = stack.specification(
            owner: nil, image: image,
            source: FunctionSource(
                handler: stack.handler.isEmpty ? "." : stack.handler, runtime: stack.skipsBuild ? nil : stack.runtime))
        var metadata = ObjectMeta(name: stack.name, namespace: namespace)
        if !image.contains("@sha256:") {
            metadata.annotations[FareboxAnnotation.deployedAt] = now.rfc3339(.microseconds)
        }
        function = Function(metadata: metadata, spec: spec)
        let violations = function.validate()
        guard violations.isEmpty else {
            throw CommandFailure(.failed, "the function \(stack.name) cannot be deployed: \(violations.summary())")
        }
    }
}
