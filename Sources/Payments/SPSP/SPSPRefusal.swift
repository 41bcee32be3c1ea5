import HTTP
import Timing

/// Why an SPSP query gets no wallet's answer, with the status that the contract fixes for it.
struct SPSPRefusal: Error, Hashable {
    let status: HTTPStatus
    /// What the payer reads.
    let text: String
    /// What is counted.
    let outcome: String
    private var retryAfter: Duration?
    private var silence: String?

    private init(_ status: HTTPStatus, _ text: String, outcome: String) {
        self.status = status
        self.text = text
        self.outcome = outcome
    }

    /// Nobody takes money by this name, or the payer admits no SPSP.
    static let unknown = SPSPRefusal(.notFound, "not found", outcome: "unknown")
    /// A joined name that several functions have.
    static let ambiguous = SPSPRefusal(
        .notFound, "several functions have this name; ask for /<owner>/<function>", outcome: "ambiguous")
    /// A second verifier is in front of this one, and its receipts would be worth nothing here.
    static let chained = SPSPRefusal(
        .badRequest, "receipts are verified here; send neither Receipt-Nonce nor Receipt-Secret", outcome: "chained")
    /// The wallet issues no receipts.
    static let unsupported = SPSPRefusal(
        .conflict, "the wallet does not support receipts", outcome: "unsupported")

    /// The wallet is of no use.
    static func wallet(_ text: String) -> SPSPRefusal { SPSPRefusal(.badGateway, text, outcome: "wallet") }

    /// The wallet gave no answer.
    ///
    /// Why it is of no use is for the log, not for payers.
    init(_ error: WalletError) {
        switch error {
        case .refused: self = .wallet("the wallet's address is refused")
        case .unreachable: self = .wallet("the wallet cannot be reached")
        case .unusable: self = .wallet("the wallet's answer cannot be used")
        case .reset, .timedOut:
            self.init(.gatewayTimeout, "\(error)", outcome: "wallet")
            silence = "\(error)"
        }
    }

    /// We cannot now; later we can.
    static func unavailable(retryAfter: Duration) -> SPSPRefusal {
        var refusal = SPSPRefusal(.serviceUnavailable, "try again in a moment", outcome: "unavailable")
        refusal.retryAfter = retryAfter
        return refusal
    }

    /// The answer.
    var response: HTTPResponse {
        var response = HTTPResponse.text(status, text)
        response.headers.set("Cache-Control", "no-store")
        if let retryAfter { response.headers.set("Retry-After", retryAfter.wholeSeconds) }
        // Spelt as the proxy library of the first receipt verifier spells it.
        if let silence { response.headers.set("X-Timout-Reason", silence) }
        return response
    }
}

extension Duration {
    /// Whole seconds, rounded up, at least one: as the field `Retry-After` has it.
    var wholeSeconds: String {
        let (seconds, attoseconds) = components
        return String(max(1, attoseconds > 0 ? seconds.addingReportingOverflow(1).partialValue : seconds))
    }
}
