import Cryptography
import HTTP

/// Routes the calls that the gateway makes to itself: `/<secret>/<ticket>/<namespace>/<name>/…`.
///
/// They go the way of every other call, from the waiting for an instance to the counting, but for their admission, which
/// they had when they were accepted.
struct DispatchRouter: RequestRouter {
    let router: GatewayRouter
    let table: DispatchTable
    /// The number that the board knows this server's only loop by.
    let loop: Int

    func route(
        _ head: RequestHead, in bytes: Span<UInt8>, after gate: (any RequestGate)?, onLoop loop: Int
    ) -> RequestDecision {
        var segments = PathSegments(head.path)
        guard let secret = segments.next(in: bytes),
            constantTimeEquals(Array(bytes.text(secret).utf8), Array(table.secret.utf8)),
            let number = segments.next(in: bytes).flatMap({ UInt64(bytes.text($0)) }),
            let ticket = table.ticket(number), let namespace = segments.next(in: bytes),
            let name = segments.next(in: bytes)
        else { return .refuse(.notFound, detail: "There is nothing here.") }
        let decision = router.routeAdmitted(
            head, in: bytes, namespace: namespace, name: name, context: ticket, after: gate, onLoop: self.loop)
        if case .proxy = decision { ticket.proxied() }
        return decision
    }
}
