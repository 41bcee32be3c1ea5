import CRDs
import ControllerRuntime
import DNS
import KubernetesClient
import KubernetesTypes
import MemoryCluster
import Synchronization
import Telemetry
import Testing

@testable import Operator

@Suite("Domains that nobody answers for", .timeLimit(.minutes(10)))
struct SilentDomainsTests {
    /// Nobody answers for a domain whose name begins with "dead"; the others' records stand.
    private final class Resolver: TextLookup {
        let waiting = Mutex(0)

        func texts(of name: String) async -> TextFinding {
            guard name.hasPrefix("_farebox.dead") else { return .texts(["farebox=functions/alive"]) }
            waiting.withLock { $0 += 1 }
            // Until the test is over.
            try? await Task.sleep(for: .seconds(3600))
            return .unknown
        }
    }

    private func function(_ name: String) -> Function {
        var function = Function(
            metadata: ObjectMeta(name: name, namespace: "functions"), spec: FunctionSpec(image: "i"))
        function.spec.domains = ["\(name).example.com"]
        return function
    }

    @Test("However many there are, they leave room for others")
    func room() async throws {
        let api = MemoryAPI()
        let dead = (0..<20).map { function("dead-\($0)") }
        for function in dead + [function("alive")] { _ = try await api.create(function) }
        var managing = ManagerConfiguration()
        managing.handlesSignals = false
        managing.healthAddress = nil
        managing.gracePeriod = .seconds(600)
        let manager = Manager(api: api, configuration: managing, metrics: MetricsRegistry())
        let functions = manager.informers.informer(Function.self, scope: InformerScope(namespace: "functions"))
        let running = Task { try await manager.run() }
        try await functions.waitForSync()
        var configuration = FunctionClusterConfiguration()
        configuration.takesDomainProofs = true
        let book = DomainProofBook()
        let past = ContinuousClock.now - .seconds(60)
        for function in dead {
            book.follow(function.key, function.spec.domains, known: [], now: past)
            _ = book.take(.unknown, function.key, function.spec.domains[0], now: past)
        }
        let resolver = Resolver()
        let reconciler = DomainProofReconciler(
            functions: functions, configuration: configuration, lookup: resolver, book: book
        ) { _ in }
        let outcomes = Mutex<[ReconcileOutcome]>([])

        var passes: [Task<Void, any Error>] = []
        for key in dead.map(\.key) {
            let pass = Task { @Sendable in
                let outcome = try await reconciler.reconcile(key)
                outcomes.withLock { $0.append(outcome) }
            }
            passes.append(pass)
        }
        let maximum = DomainProofReconciler.silentLooksMaximum
        let deadline = ContinuousClock.now + .seconds(300)
        while outcomes.withLock({ $0.count }) < dead.count - maximum || resolver.waiting.withLock({ $0 }) < maximum,
            ContinuousClock.now < deadline
        {
            // A look now and then: nothing tells when some wait and the others have gone on.
            try await Task.sleep(for: .milliseconds(2))
        }
        let alive = function("alive").key
        _ = try await reconciler.reconcile(alive)

        #expect(resolver.waiting.withLock { $0 } == maximum)
        #expect(outcomes.withLock { $0 } == Array(repeating: .requeue(after: .seconds(5)), count: dead.count - maximum))
        #expect(book.proofs(alive, ["alive.example.com"], known: []).count == 1)
        for pass in passes { pass.cancel() }
        running.cancel()
        try await running.value
    }
}
