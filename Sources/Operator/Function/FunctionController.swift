import CRDs
public import ControllerRuntime
public import DNS
public import KubernetesClient
import KubernetesTypes
import Telemetry

/// The controller that turns Functions into what runs.
public enum FunctionController {
    /// The field manager of everything it writes.
    public static let fieldManager = "farebox-function"

    /// Adds the controller, and the informers it needs, to a manager.
    ///
    /// - Parameters:
    ///   - manager: Runs it, in the one process that leads.
    ///   - api: For writing, for looking up Secrets by name, and for the server's version.
    ///   - configuration: What the cluster decides; must be free of problems (`validate()`).
    ///   - resolver: Finds the digests of image tags.
    ///   - lookup: Asked for the records that prove domains, where the configuration takes them.
    ///   - recorder: Tells of what happens; nil tells nothing.
    /// - Returns: The controller, for tests and metrics.
    @discardableResult
    public static func install(
        in manager: Manager, api: any KubernetesAPI, configuration: FunctionClusterConfiguration,
        resolver: any ImageResolver, lookup: any TextLookup = SystemTextLookup(), recorder: EventRecorder? = nil
    ) -> Controller {
        install(
            in: manager, api: api, configuration: configuration, resolver: resolver, lookup: lookup, recorder: recorder,
            polls: .init())
    }

    /// - Parameter polls: How soon to look again at what no watch tells.
    @discardableResult
    static func install(
        in manager: Manager, api: any KubernetesAPI, configuration: FunctionClusterConfiguration,
        resolver: any ImageResolver, lookup: any TextLookup = SystemTextLookup(), recorder: EventRecorder?,
        polls: FunctionReconciler.Polls
    ) -> Controller {
        let sources = FunctionSources(manager.informers, configuration)
        let proofs = DomainProofBook()
        let reconciler = FunctionReconciler(
            sources: sources, configuration: configuration, api: api,
            writer: ChildWriter(api: api, fieldManager: fieldManager), statusWriter: StatusWriter(api: api),
            recorder: recorder, resolver: resolver, features: ServerFeatures(), proofs: proofs,
            logger: Logger(label: "function"), polls: polls)
        let controller = Controller(
            name: "function", root: sources.functions, reconciler: reconciler, metrics: manager.metrics)
        controller.owns(sources.deployments)
        controller.owns(sources.services)
        controller.owns(sources.networkPolicies)
        controller.watches(sources.pods) { FunctionSources.function(of: $0).map { [$0] } ?? [] }
        let functions = sources.functions
        controller.watches(functions) { function in
            // Whoever waits for a domain learns that it is free, or that it is not any more.
            function.spec.domains.flatMap { sources.functions(wanting: $0) }.map(\.key)
                .filter { $0 != function.key }
        }
        controller.watches(sources.runtimeClasses) { runtimeClass in
            functions.list().filter {
                ($0.spec.runtimeClassName ?? configuration.runtimeClassName) == runtimeClass.metadata.name
            }.map(\.key)
        }
        if let credentials = sources.credentials {
            controller.watches(credentials) { _ in functions.list().map(\.key) }
        }
        manager.add(controller)
        if configuration.takesDomainProofs {
            let reconciler = DomainProofReconciler(
                functions: functions, configuration: configuration, lookup: lookup, book: proofs
            ) { controller.enqueue($0) }
            manager.add(
                Controller(
                    name: "domain-proof", root: functions, reconciler: reconciler, metrics: manager.metrics))
        }
        PodStarts.measure(sources.pods, in: configuration.namespace, by: manager)
        return controller
    }
}
