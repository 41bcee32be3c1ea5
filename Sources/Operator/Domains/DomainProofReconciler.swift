import CRDs
import ControllerRuntime
import DNS
import HTTP
import KubernetesTypes
import Telemetry

/// Looks up the DNS records by which Functions prove domains, when they are due, and tells when that changes something.
///
/// It is a controller of its own, so that a domain whose servers do not answer keeps no Function from its other work.
struct DomainProofReconciler: Reconciler {
    let functions: Informer<Function>
    let configuration: FunctionClusterConfiguration
    let lookup: any TextLookup
    let book: DomainProofBook
    /// Has the Function's status written anew.
    let changed: @Sendable (ObjectKey) -> Void
    let logger = Logger(label: "domains")

    /// Looks of one pass: each may take some ten seconds, and other Functions wait too.
    private static let looksMaximum = 4
    /// Looks at once for domains that nobody answered for last time, fewer than there are workers: however many point to
    /// servers that are dead, others have their turn.
    static let silentLooksMaximum = 4
    /// What finds no place among these tries again after this time.
    private static let turnInterval = Duration.seconds(5)
    private let silentLooks = Budget(silentLooksMaximum)

    func reconcile(_ key: ObjectKey) async throws -> ReconcileOutcome {
        guard let function = functions.get(key), !function.metadata.isBeingDeleted else {
            book.forget(key)
            return .done
        }
        let domains = DomainVerdict.domainsToProve(function, configuration)
        book.follow(key, domains, known: function.status?.domainProofs ?? [])
        var hasChanged = false
        var awaitsTurn = false
        for (domain, isSilent) in book.due(key).prefix(Self.looksMaximum) {
            let place = Budget.Share(of: silentLooks)
            defer { place.giveBack() }
            guard !isSilent || place.take() else {
                awaitsTurn = true
                continue
            }
            let finding = await look(DomainRecord(domain, for: key))
            if book.take(finding, key, domain) {
                hasChanged = true
                logger.info(
                    "The proof of a domain changed",
                    ["namespace": key.namespace, "name": key.name, "domain": domain, "found": "\(finding)"])
            }
        }
        if hasChanged { changed(key) }
        if awaitsTurn { return .requeue(after: Self.turnInterval) }
        return book.nextDue(key).map { .requeue(after: max(.zero, ContinuousClock.now.duration(to: $0))) } ?? .done
    }

    private func look(_ record: DomainRecord) async -> DomainProving.Finding {
        switch await lookup.texts(of: record.name) {
        case .texts(let texts): record.stands(among: texts) ? .stands : .absent
        case .unknown: .unknown
        }
    }
}
