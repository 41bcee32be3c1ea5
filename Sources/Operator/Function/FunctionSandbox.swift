import CRDs

/// Which sandbox a function runs in, or why it may not run.
enum FunctionSandbox: Equatable {
    /// A RuntimeClass that exists and may be used.
    case runtimeClass(String)
    /// None: the administrator allows that.
    case unsandboxed
    /// The function must not run: the reason and what to do.
    case refused(FunctionReason, String)

    /// Decides.
    ///
    /// - Parameters:
    ///   - requested: The RuntimeClass the function names, if it names one.
    ///   - exists: Whether a RuntimeClass of a name is there.
    static func choose(
        _ requested: String?, _ configuration: FunctionClusterConfiguration, exists: (String) -> Bool
    ) -> FunctionSandbox {
        guard let name = requested ?? configuration.runtimeClassName else {
            guard !configuration.allowsUnsandboxed else { return .unsandboxed }
            return .refused(
                .runtimeClassUnset,
                "no RuntimeClass is named; set spec.runtimeClassName, or runtimeClassName in the configuration")
        }
        guard exists(name) else {
            let source = requested == nil ? "the cluster's default RuntimeClass" : "the RuntimeClass"
            return .refused(
                .runtimeClassMissing,
                """
                \(source) \(name) does not exist; create it (kubectl get runtimeclasses shows those that do), or name \
                another in spec.runtimeClassName. The function does not run without its sandbox.
                """)
        }
        let allowed = configuration.allowedRuntimeClasses
        guard requested == nil || name == configuration.runtimeClassName || allowed.isEmpty || allowed.contains(name)
        else {
            return .refused(
                .runtimeClassNotAllowed,
                "the RuntimeClass \(name) is not among those this cluster allows (\(allowed.joined(separator: ", ")))")
        }
        return .runtimeClass(name)
    }

    /// The RuntimeClass to run in; nil for none, also when refused.
    var runtimeClassName: String? {
        if case .runtimeClass(let name) = self { name } else { nil }
    }
}
