import CRDs
public import ControllerRuntime
public import KubernetesClient
import KubernetesTypes
public import Payments
import Timing

/// What keeps Functions and Receipts in step with the ledger; of all replicas, one does it.
public enum PaymentControllers {
    /// What the controllers work with.
    public struct Parts: Sendable {
        /// Where money is counted.
        public var ledger: any PaymentLedger
        /// Where receipts are handed in.
        public var desk: ReceiptDesk
        /// What the host's wallet counts in.
        public var asset: Asset
        /// The one namespace of Functions and Receipts; all of them when nil.
        public var namespace: String?
        /// The namespace of Receipts of money that names no function: ``namespace``, where there is one.
        public var homeNamespace: String

        /// Names the parts.
        public init(
            ledger: any PaymentLedger, desk: ReceiptDesk, asset: Asset, namespace: String?, homeNamespace: String
        ) {
            self.ledger = ledger
            self.desk = desk
            self.asset = asset
            self.namespace = namespace
            self.homeNamespace = homeNamespace
        }
    }

    /// Adds the controllers, and the informers they need, to a manager.
    ///
    /// - Parameters:
    ///   - manager: Runs them, in the one process that leads.
    ///   - api: For writing.
    ///   - parts: What they work with.
    public static func install(in manager: Manager, api: any KubernetesAPI, parts: Parts) {
        let follower = assemble(in: manager, api: api, parts: parts, pace: StatusPace())
        manager.addRunnable("ledger follower", needsLeadership: true) { [informers = manager.informers] in
            do {
                try await informers.waitForSync(within: syncTimeout)
            } catch is CancellationError {
                return
            }
            await follower.run()
        }
    }

    /// Adds the controllers only, for tests that look at the ledger themselves.
    static func assemble(
        in manager: Manager, api: any KubernetesAPI, parts: Parts, pace: StatusPace,
        limits: ReceiptPublisher.Limits = .init()
    ) -> LedgerFollower {
        let functions = manager.informers.paidFunctions(namespace: parts.namespace)
        let receipts = manager.informers.informer(Receipt.self, scope: InformerScope(namespace: parts.namespace))
        let statusWriter = StatusWriter(api: api)
        let funding = Controller(
            name: "funding", root: functions, predicate: FundingReconciler.changes,
            reconciler: FundingReconciler(
                functions: functions, ledger: parts.ledger, asset: parts.asset, statusWriter: statusWriter, pace: pace),
            configuration: configuration, metrics: manager.metrics)
        manager.add(funding)
        manager.add(
            Controller(
                name: "receipt", root: receipts,
                reconciler: ReceiptReconciler(
                    receipts: receipts, desk: parts.desk, ledger: parts.ledger, statusWriter: statusWriter),
                configuration: configuration, metrics: manager.metrics))
        let publisher = ReceiptPublisher(
            receipts: receipts, ledger: parts.ledger, desk: parts.desk, api: api, homeNamespace: parts.homeNamespace,
            limits: limits, metrics: PublisherMetrics(manager.metrics))
        return LedgerFollower(ledger: parts.ledger, publisher: publisher) { accounts in
            let keys = accounts?.map { ObjectKey($0) } ?? functions.list().filter { $0.spec.payment != nil }.map(\.key)
            for key in keys { funding.enqueue(key) }
        }
    }

    /// A ledger that is away for a while is asked again after a second at first, and at least once a minute.
    private static var configuration: ControllerConfiguration {
        var configuration = ControllerConfiguration()
        configuration.backoff = Backoff(base: .milliseconds(100), ceiling: .seconds(60), jitter: 0.1)
        configuration.syncTimeout = syncTimeout
        return configuration
    }

    /// How long the API server may be away at first: to end the process would only stop it from taking receipts at the door,
    /// which are worth something for minutes.
    private static let syncTimeout = Duration.seconds(7 * 86_400)
}
