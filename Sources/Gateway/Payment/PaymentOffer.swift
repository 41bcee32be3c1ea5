import CRDs
import HTTP
import JSON
import Payments

/// What a call of a function costs and how somebody pays: what callers without a paid call are told.
struct PaymentOffer: Equatable, Sendable {
    /// What calls cost.
    let price: FunctionPrice
    /// Where payers ask who is to be paid, as a URL; nil when the installation does not say.
    let url: String?
    /// The function's page, for people.
    let page: String?

    /// Makes the offer of a function.
    ///
    /// - Parameters:
    ///   - price: What its calls cost.
    ///   - payer: The public URL of payments, such as `https://pay.example.xyz`.
    ///   - name: The function's owner and name; nil where it has no owner.
    ///   - object: The name of its object.
    init(price: FunctionPrice, payer: String?, name: FunctionRecord.OwnedName?, object: String) {
        self.price = price
        url = payer.map { payer in
            name.map { "\(payer)/\($0.owner)/\($0.function)" } ?? "\(payer)/\(object)"
        }
        page = payer.map { payer in
            name.map { "\(payer)/pay/\($0.owner)/\($0.function)" } ?? "\(payer)/pay/-/\(object)"
        }
    }

    /// The payment pointer that stands for ``url`` (Interledger RFC 26).
    var pointer: String? {
        guard let url, let scheme = ["https://", "http://"].first(where: url.hasPrefix) else { return nil }
        return "$" + url.dropFirst(scheme.count)
    }

    /// Sends the caller to whoever takes money: browsers to the function's page, programs a document.
    ///
    /// - Parameters:
    ///   - balance: What the function's account has, where it is known.
    ///   - head: The request.
    ///   - bytes: Its head as sent.
    func refusal(_ balance: AccountBalance?, _ head: RequestHead, _ bytes: Span<UInt8>) -> RequestDecision {
        var headers = HTTPHeaders([("Cache-Control", "no-store"), ("Vary", "Accept")])
        if let url {
            headers.add("Link", "<\(url)>; rel=\"monetization\"")
        }
        if let page, head.wantsPage(in: bytes) {
            headers.add("Location", page)
            // The page is read, whatever the call would have sent.
            let isRead = bytes.equals(head.method, "GET") || bytes.equals(head.method, "HEAD")
            return .refuse(
                isRead ? .temporaryRedirect : .seeOther, detail: "The call has to be paid for: see \(page).",
                headers: headers)
        }
        return .refuse(
            .paymentRequired,
            detail: Self.unpaid,
            headers: headers, members: members(balance))
    }

    /// Sends a program that does not wait for its call to whoever takes money.
    func problem(_ balance: AccountBalance?, requestID: String) -> HTTPResponse {
        var response = HTTPResponse.problem(
            .paymentRequired, detail: Self.unpaid, requestID: requestID, members: members(balance))
        response.headers["Cache-Control"] = "no-store"
        response.headers["Link"] = url.map { "<\($0)>; rel=\"monetization\"" }
        return response
    }

    private static let unpaid = "No paid call of the function is left. Pay at the payment pointer, then call again."

    /// Amounts are text, since they may have 64 bits.
    private func members(_ balance: AccountBalance?) -> JSONObject {
        var members: JSONObject = [
            "price": [
                "amount": .string("\(price.amount)"), "assetCode": .string(price.assetCode),
                "assetScale": .integer(Int64(price.assetScale)), "calls": .integer(price.calls),
            ]
        ]
        members["paymentPointer"] = pointer.map { .string($0) }
        if let balance {
            members["balance"] = .string("\(balance.balance)")
            members["remainingCalls"] = JSONValue(balance.remainingCalls)
        }
        return members
    }
}
