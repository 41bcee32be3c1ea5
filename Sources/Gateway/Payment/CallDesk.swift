import KubernetesTypes
import Payments
import Synchronization
import Telemetry

/// All purses of this gateway: it makes them, looks after their leases, and gives back what is left at the end.
final class CallDesk: Sendable {
    /// Between two looks at a lease.
    static let lookInterval = Duration.seconds(1)

    /// The public URL of payments, for offers; nil when the installation does not say.
    let payer: String?
    private let source: any LeaseSource
    private let holder: String
    private let purses = Mutex<[ObjectKey: CallPurse]>([:])

    /// Makes a desk without purses.
    ///
    /// - Parameters:
    ///   - source: Who gives leases.
    ///   - payer: The public URL of payments.
    ///   - holder: Names this process, and no other.
    init(source: any LeaseSource, payer: String?, holder: String) {
        self.source = source
        self.payer = payer
        self.holder = holder
    }

    /// The purse of a function, made when there is none; nil for a name that can have no account.
    func purse(of key: ObjectKey) -> CallPurse? {
        purses.withLock { purses in
            if let purse = purses[key] { return purse }
            guard let account = PaymentAccount(namespace: key.namespace, function: key.name) else { return nil }
            let purse = CallPurse(of: account, source: source, holder: holder)
            purses[key] = purse
            return purse
        }
    }

    /// Forgets the purse of a function that is gone or free now; what is left in it is given back.
    func close(_ key: ObjectKey) {
        guard let purse = purses.withLock({ $0.removeValue(forKey: key) }) else { return }
        Task { await purse.close() }
    }

    /// Looks after the leases until the task is cancelled.
    func run() async {
        // Nothing tells that a lease grew old, or that nobody calls any more.
        while (try? await Task.sleep(for: Self.lookInterval)) != nil {
            for purse in purses.withLock({ Array($0.values) }) {
                purse.look()
            }
        }
    }

    /// Gives everything back; no call may be let through any more.
    func closeAll() async {
        let all = purses.withLock { purses in
            defer { purses = [:] }
            return Array(purses.values)
        }
        await withTaskGroup { group in
            for purse in all {
                group.addTask { await purse.close() }
            }
        }
    }
}
