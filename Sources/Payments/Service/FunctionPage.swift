import HTTP

/// The page of a function, for people whom the gateway sends here to pay: what calls cost, what is left, whom to pay.
///
/// It names the payment pointer in a `link` of the kind `monetization`, so that a browser with a wallet pays while the page
/// is open (Web Monetization). It has no script and loads nothing. `/pay/<owner>/<function>`, or `/pay/-/<name>` by the name
/// of the object: three segments, which no SPSP query has.
struct FunctionPage: Sendable {
    let directory: any PaymentDirectory
    let ledger: any PaymentLedger
    /// Where payers reach this process: scheme and host; nil where the installation does not say.
    let publicURL: String?
    let flights: FlightLimit

    private static let refreshSeconds = 15

    private static let prefix = "/pay"
    private static let noOwner = "/-/"

    /// Whether a path is that of a page.
    static func isPage(_ path: String) -> Bool {
        path.hasPrefix(prefix + "/") && path.utf8.count { $0 == UInt8(ascii: "/") } == 3
    }

    /// Answers a GET.
    ///
    /// - Parameter path: As sent.
    func answer(_ path: String) async -> HTTPResponse {
        guard flights.enter() else { return Self.unavailable }
        defer { flights.leave() }
        let rest = String(path.dropFirst(Self.prefix.count))
        let isJoined = rest.hasPrefix(Self.noOwner)
        guard let name = PayeeName(path: isJoined ? "/" + rest.dropFirst(Self.noOwner.count) : rest), name != .host
        else {
            return Self.unknown
        }
        let function: PayableFunction
        do {
            function = try await directory.function(named: name)
        } catch {
            switch error {
            case .unknown, .ambiguous: return Self.unknown
            case .unavailable: return Self.unavailable
            }
        }
        guard let balance = try? await ledger.balance(of: function.account, terms: function.terms) else {
            return Self.unavailable
        }
        return page(of: name, function, balance)
    }

    private func page(of name: PayeeName, _ function: PayableFunction, _ balance: AccountBalance) -> HTTPResponse {
        let path: String
        switch name {
        case .host: path = ""
        case .function(let owner, let name): path = "/\(owner)/\(name)"
        case .joined(let text): path = "/\(text)"
        }
        let terms = function.terms
        let title = path.dropFirst()
        let pointer = publicURL.map { "$" + $0.drop { $0 != ":" }.dropFirst("://".count) + path }
        let isOpen = balance.remainingCalls > 0
        return Self.html(
            .ok, title: "\(title)",
            head: "<link rel=\"monetization\" href=\"\(Self.escaped((publicURL ?? "") + path))\">",
            refresh: !isOpen,
            body: """
                <h1>\(Self.escaped("\(title)"))</h1>
                <p>\(Self.calls(terms.calls)) cost\(terms.calls == 1 ? "s" : "") <b>\(Self.escaped(terms.asset.text(terms.amount)))</b>.</p>
                <p class="\(isOpen ? "open" : "shut")">\(isOpen
                    ? "\(Self.calls(balance.remainingCalls)) can be made now."
                    : "No call is left: somebody has to pay first.")</p>
                <dl><dt>Balance</dt><dd>\(Self.escaped(terms.asset.text(balance.balance)))</dd>
                \(pointer.map { "<dt>Payment pointer</dt><dd><code>\(Self.escaped($0))</code></dd>" } ?? "")</dl>
                <p>A browser with a wallet (Web Monetization) pays while this page is open. Every other wallet that pays to
                payment pointers and issues receipts can pay the pointer above. Then call the function again.</p>
                """)
    }

    private static func calls(_ count: UInt64) -> String {
        count == 1 ? "One call" : "\(count) calls"
    }

    // MARK: - HTML

    private static let unknown = html(
        .notFound, title: "No such function",
        body: "<h1>No such function</h1><p>There is no function of this name that takes money.</p>")

    private static var unavailable: HTTPResponse {
        var response = html(
            .serviceUnavailable, title: "Not now", refresh: true,
            body: "<h1>Not now</h1><p>The balance cannot be read at the moment. This page tries again by itself.</p>")
        response.headers.set("Retry-After", "1")
        return response
    }

    private static func html(
        _ status: HTTPStatus, title: String, head: String = "", refresh: Bool = false, body: String
    ) -> HTTPResponse {
        let text = """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
            <title>\(escaped(title)): pay for calls</title>\(head)
            <style>
            body { font: 1rem/1.5 system-ui, sans-serif; max-width: 38rem; margin: 4rem auto; padding: 0 1rem; color: #1b1f24 }
            h1 { font-size: 1.6rem } dt { color: #59636e } dd { margin: 0 0 .8rem } code { font-size: 1rem }
            .open, .shut { padding: .6rem .9rem; border-radius: .4rem } .open { background: #dafbe1 } .shut { background: #fff1e5 }
            </style></head>
            <body>
            \(body)
            </body></html>

            """
        var headers = HTTPHeaders([
            ("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store"),
            ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
            ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"),
        ])
        if refresh {
            headers.set("Refresh", "\(refreshSeconds)")
        }
        return HTTPResponse(status, headers: headers, body: .bytes(Array(text.utf8)))
    }

    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            default: escaped.append(character)
            }
        }
        return escaped
    }
}
