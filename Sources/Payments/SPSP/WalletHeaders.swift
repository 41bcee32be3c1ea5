import HTTP

/// Which header fields pass between the payer and the wallet.
///
/// The wallet is chosen by a tenant and speaks from our domain: neither side gets what would speak for us.
enum WalletHeaders {
    /// What SPSP version 4 is called; the only kind of answer that is asked for.
    static let contentType = "application/spsp4+json"
    static let nonceField = "Receipt-Nonce"
    static let secretField = "Receipt-Secret"

    /// Fields of one connection (RFC 9110, 7.6.1).
    private static let hopByHop: Set<String> = [
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade", "http2-settings", "content-length",
    ]

    /// Not for the wallet: what we set ourselves, the payer's credentials for us, who and where the payer is, and what
    /// would make the answer partial, conditional or compressed.
    private static let withheld: Set<String> = [
        "host", "accept", "accept-encoding", "authorization", "cookie", "expect", "forwarded", "x-forwarded-for",
        "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port", "x-real-ip", "via", "range", "if-match",
        "if-none-match", "if-modified-since", "if-unmodified-since", "if-range", "content-type", "origin", "referer",
        "receipt-nonce", "receipt-secret",
    ]

    /// Not for the payer: what would bind a browser to something for our whole domain, and what we say ourselves.
    private static let unspoken: Set<String> = [
        "set-cookie", "set-cookie2", "strict-transport-security", "alt-svc", "clear-site-data", "public-key-pins",
        "report-to", "reporting-endpoints", "nel", "refresh", "location", "www-authenticate", "service-worker-allowed",
        "content-encoding", "date", "server", "x-request-id", "vary", "content-type", "x-content-type-options",
        "receipt-nonce", "receipt-secret", "link", "origin-agent-cluster",
    ]

    /// Whether the payer brought a nonce or a secret of its own: a second verifier in front of this one.
    static func isChained(_ headers: HTTPHeaders) -> Bool {
        headers.contains(nonceField) || headers.contains(secretField)
    }

    /// The fields for the wallet, with the nonce and the secret that its receipts are to be made of.
    static func request(_ headers: HTTPHeaders, nonce: String, secret: String) -> HTTPHeaders {
        var fields = passed(headers, except: withheld)
        fields.set("Accept", contentType)
        fields.set(nonceField, nonce)
        fields.set(secretField, secret)
        return fields
    }

    /// The fields for the payer.
    static func response(_ headers: HTTPHeaders) -> HTTPHeaders {
        var fields = passed(headers, except: unspoken, "access-control-")
        // Whatever the wallet calls it, no browser takes its answer for a page of ours.
        let kind = headers["Content-Type"]?.prefix { $0 != ";" && $0 != " " }.lowercased()
        fields.set("Content-Type", kind == "application/json" ? "application/json" : contentType)
        fields.set("X-Content-Type-Options", "nosniff")
        return fields
    }

    private static func passed(
        _ headers: HTTPHeaders, except names: Set<String>, _ prefix: String? = nil
    ) -> HTTPHeaders {
        let connection = headers.values(for: "Connection").flatMap { $0.lowercased().split(separator: ",") }
        let own = Set(connection.map { $0.filter { $0 != " " && $0 != "\t" } })
        var fields = HTTPHeaders()
        for field in headers.fields {
            let name = field.name.lowercased()
            guard !hopByHop.contains(name), !names.contains(name), !own.contains(name) else { continue }
            if let prefix, name.hasPrefix(prefix) { continue }
            fields.add(field.name, field.value)
        }
        return fields
    }
}
