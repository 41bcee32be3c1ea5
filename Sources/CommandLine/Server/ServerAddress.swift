import Commands

/// The URL of an installation's REST API.
struct ServerAddress: Sendable, Hashable {
    /// `http` or `https`, host in small letters, perhaps a path; no slash at its end.
    let url: String

    /// The longest URL that is taken.
    private static let bytesMaximum = 2048
    /// What FaaSO's people write behind the host.
    private static let faasoSuffix = "/admin"

    /// Reads what was typed, or what `FAASO_SERVER` says: the `/admin/` of FaaSO's servers is taken away.
    ///
    /// - Throws: `UsageError` for what is no such URL, and for one with a name and a password in it.
    init(_ text: String) throws(UsageError) {
        let shown = TerminalText.line(String(text.prefix(200)))
        let isPlain = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"?#\"<>{}|^`\\".utf8.contains($0) }
        guard isPlain, text.utf8.count <= Self.bytesMaximum, let separator = text.firstRange(of: "://") else {
            throw UsageError("'\(shown)' is no address of a server, such as https://faas.example.com")
        }
        let scheme = text[..<separator.lowerBound].lowercased()
        let rest = text[separator.upperBound...]
        let authority = rest.prefix { $0 != "/" }
        guard ["http", "https"].contains(scheme), !authority.isEmpty else {
            throw UsageError("'\(shown)' is no address of a server, such as https://faas.example.com")
        }
        guard !authority.contains("@") else {
            throw UsageError("the address of a server holds no name and password: farebox login asks for them")
        }
        var path = rest.dropFirst(authority.count)
        while path.hasSuffix("/") { path.removeLast() }
        if path.hasSuffix(Self.faasoSuffix) { path.removeLast(Self.faasoSuffix.count) }
        while path.hasSuffix("/") { path.removeLast() }
        url = "\(scheme)://\(authority.lowercased())\(path)"
    }

    /// Whether what is sent can be read on the way: plain http to another machine.
    var isOpenToEavesdroppers: Bool { url.hasPrefix("http://") && !InvokePlan.isOfThisMachine(url) }
}
