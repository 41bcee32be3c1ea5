import HTTP

/// Finds out the default branch of a repository whose event does not tell it.
protocol RemoteHead: Sendable {
    /// Asks the repository.
    ///
    /// - Parameters:
    ///   - url: Its clone URL.
    ///   - end: Until when to wait.
    /// - Returns: Nil when it does not tell: it is private, empty, or its host does not answer in time.
    func defaultBranch(of url: String, until end: ContinuousClock.Instant) async -> String?
}

/// Asks over Git's own protocol, which every host speaks, and without a token.
///
/// The answer lists all references; the branch stands in the first lines, so only those are read.
///
/// Source: Git, "HTTP transfer protocols", "Smart clients"; `symref` in "Protocol capabilities".
struct SmartHTTPHead: RemoteHead {
    /// The first reference carries the capabilities; hosts send less than 1 KiB of them.
    static let bytesMaximum = 16 * 1024
    static let timeout: Duration = .seconds(3)

    let client: HTTPClient
    /// How long one host may take.
    var timeout = SmartHTTPHead.timeout

    func defaultBranch(of url: String, until end: ContinuousClock.Instant) async -> String? {
        let left = end - .now
        guard left > .zero else { return nil }
        var request = HTTPClientRequest(
            url: url + "/info/refs?service=git-upload-pack", timeout: min(left, timeout))
        request.headers["User-Agent"] = "git/2 farebox"
        guard let stream = try? await client.stream(request), stream.status.isSuccess else { return nil }
        defer { stream.cancel() }
        var bytes: [UInt8] = []
        while bytes.count < Self.bytesMaximum {
            guard let piece = try? await stream.next() else { break }
            bytes += piece
            if let branch = Self.branch(in: bytes) { return branch }
        }
        return nil
    }

    /// Finds `symref=HEAD:refs/heads/<branch>` among the capabilities; nil where it is not there, or not complete yet.
    static func branch(in bytes: [UInt8]) -> String? {
        let mark = Array("symref=HEAD:refs/heads/".utf8)
        guard let nul = bytes.firstIndex(of: 0) else { return nil }
        let capabilities = bytes[bytes.index(after: nul)...]
        for word in capabilities.split(separator: UInt8(ascii: " ")) where word.starts(with: mark) {
            let rest = word.dropFirst(mark.count)
            // Without its end the word may go on in the next piece.
            let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex
            guard end < bytes.endIndex, let name = String(validating: rest[..<end], as: UTF8.self), !name.isEmpty else {
                return nil
            }
            return name
        }
        return nil
    }
}
