import HTTP

extension RequestHead {
    /// Whether a browser shows the answer to a person.
    func wantsPage(in bytes: Span<UInt8>) -> Bool {
        value(of: "accept", in: bytes).map { bytes.text($0).lowercased().contains("text/html") } ?? false
    }
}
