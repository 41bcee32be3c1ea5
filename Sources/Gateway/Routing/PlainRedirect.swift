import HTTP

/// Sends callers who come without TLS to the same place with it.
struct PlainRedirect: Equatable, Sendable {
    /// The port in the URL; 443 is left out.
    let port: UInt16

    /// Where the request had better go; `nil` when it names no host.
    ///
    /// Host and target are what the parser lets pass: nothing in them ends a line or the authority of a URL.
    func location(of head: RequestHead, in bytes: Span<UInt8>) -> String? {
        guard let host = head.host else { return nil }
        let isAddress = bytes[host.start] == UInt8(ascii: "[")
        var end = host.start
        while end < host.end, bytes[end] != (isAddress ? UInt8(ascii: "]") : UInt8(ascii: ":")) {
            end += 1
        }
        let name = bytes.text(ByteRange(host.start, isAddress ? min(end + 1, host.end) : end))
        let target = bytes.text(head.target)
        return "https://\(name)\(port == 443 ? "" : ":\(port)")\(target.hasPrefix("/") ? target : "/" + target)"
    }
}
