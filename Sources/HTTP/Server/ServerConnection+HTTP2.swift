/// The way to HTTP/2 for a client that speaks it without asking (RFC 9113 §3.3).
extension ServerConnection {
    /// Hands the connection over when its client begins with HTTP/2.
    ///
    /// - Returns: Whether that is so, or may still turn out so: then `bytes` are kept.
    func beginsHTTP2(_ bytes: Span<UInt8>) -> Bool {
        let preface = HTTP2Connection.preface
        var all = input
        all.append(bytes)
        guard all.prefix(preface.count).elementsEqual(preface.prefix(all.count)) else { return false }
        guard all.count >= preface.count else {
            input = all
            updateDeadline()
            return true
        }
        input = []
        server.adoptHTTP2(self, all.span)
        return true
    }
}
