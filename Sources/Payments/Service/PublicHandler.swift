import HTTP

/// What payers and their browsers reach: SPSP queries, and receipts.
struct PublicHandler: HTTPHandler {
    let proxy: SPSPProxy
    let receipts: ReceiptHandler
    let pages: FunctionPage
    let metrics: PaymentsMetrics

    /// The only field beyond the simple ones that a payer's browser sends, as wallets and the first verifier allow it.
    private static let payerField = "web-monetization-id"

    func handle(_ request: HTTPRequest) async -> HTTPResponse {
        let endpoint = Endpoint(request.path)
        guard request.method != .options else {
            metrics.request(endpoint.rawValue, .noContent)
            return CrossOrigin.preflight(
                request, methods: endpoint.methods, fields: endpoint == .batch ? "content-type" : Self.payerField)
        }
        var response: HTTPResponse
        switch (endpoint, request.method) {
        case (.verify, .post): response = await receipts.verify(request)
        case (.batch, .post): response = await receipts.verifyBatch(request)
        // Any path but those two may be a function's; and a function may be called `verify`.
        case (.page, .get): response = await pages.answer(request.path)
        case (_, .get): response = await proxy.answer(request)
        default:
            response = .text(.methodNotAllowed, "method not allowed")
            response.headers.set("Allow", endpoint.methods)
        }
        if request.method == .post { response.headers.set("Cache-Control", "no-store") }
        if endpoint != .page { CrossOrigin.allow(request, &response) }
        metrics.request(endpoint.rawValue, response.status)
        return response
    }

    private enum Endpoint: String {
        case verify, batch, page, spsp

        init(_ path: String) {
            switch path {
            case "/verify": self = .verify
            case "/verify/batch": self = .batch
            default: self = FunctionPage.isPage(path) ? .page : .spsp
            }
        }

        var methods: String { self == .spsp || self == .page ? "GET, OPTIONS" : "GET, POST, OPTIONS" }
    }
}
