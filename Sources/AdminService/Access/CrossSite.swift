import HTTP

/// Finds requests that another site's page makes a browser send: it adds the password that its user once typed.
enum CrossSite {
    /// Whether a request would change something and comes from a page of another site.
    ///
    /// Command lines send neither field. Source: Fetch Metadata Request Headers; Fetch, the field `Origin`.
    static func isForged(_ request: HTTPRequest) -> Bool {
        guard !request.method.isSafe else { return false }
        if let site = request.headers["Sec-Fetch-Site"], site != "same-origin", site != "none" { return true }
        guard let origin = request.headers["Origin"] else { return false }
        let authority = origin.split(separator: "/", omittingEmptySubsequences: true).last.map { $0.lowercased() }
        return authority != request.headers["Host"]?.lowercased()
    }
}
