import HTTP
import Payments
import Timing

/// Lets a call in that has to be paid for: it takes a paid call when it is taken on, and attempts cost nothing more.
struct AsyncAdmission {
    let purse: CallPurse
    let offer: PaymentOffer
    /// How long payments may take to say.
    var limit = GatewayRouter.paymentLimit

    /// Takes a paid call, waiting for payments to say whether there is one.
    ///
    /// - Returns: Nil when it was taken; else what the caller is told.
    func take(_ requestID: String) async -> HTTPResponse? {
        let deadline = ContinuousClock.now + limit
        while !purse.take() {
            let check = purse.check()
            let left = deadline - .now
            guard left > .zero, (try? await withDeadline(left, { await Self.wait(for: check) })) != nil else {
                return away(requestID)
            }
            switch check.outcome {
            case .granted, .leasedElsewhere, nil: continue
            case .exhausted(let balance): return offer.problem(balance, requestID: requestID)
            case .notPayable:
                return Self.problem(
                    requestID, "Payments do not know the function's price, or do not take its asset.", "10")
            case .unavailable: return away(requestID)
            }
        }
        return nil
    }

    private func away(_ requestID: String) -> HTTPResponse {
        Self.problem(requestID, "Whether the call is paid for cannot be found out now.", "1")
    }

    private static func problem(_ requestID: String, _ detail: String, _ retryAfter: String) -> HTTPResponse {
        var response = HTTPResponse.problem(.serviceUnavailable, detail: detail, requestID: requestID)
        response.headers["Retry-After"] = retryAfter
        return response
    }

    /// Waits until a check has ended, which it does: payments have a limit for their answers.
    private static func wait(for check: LeaseCheck) async {
        await withCheckedContinuation { continuation in check.whenOpen { continuation.resume() } }
    }
}
