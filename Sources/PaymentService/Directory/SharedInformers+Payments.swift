import CRDs
import ControllerRuntime
import KubernetesTypes

extension SharedInformers {
    /// The Functions with what payments read of them.
    ///
    /// The status stays whole: its conditions are written as one list.
    func paidFunctions(namespace: String?) -> Informer<Function> {
        informer(Function.self, scope: InformerScope(namespace: namespace)) { function in
            let identity = [
                FareboxAnnotation.owner, FareboxAnnotation.function, FareboxLabel.owner, FareboxLabel.function,
            ]
            function.metadata.annotations = function.metadata.annotations.filter { identity.contains($0.key) }
            function.metadata.labels = function.metadata.labels.filter { identity.contains($0.key) }
            var spec = FunctionSpec(image: "")
            spec.payment = function.spec.payment
            function.spec = spec
        }
    }
}
