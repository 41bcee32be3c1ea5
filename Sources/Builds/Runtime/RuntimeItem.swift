/// Something in a source of runtimes, as it was found: nothing of it is checked yet.
struct RuntimeItem: Sendable, Hashable {
    enum Content: Sendable, Hashable {
        case file([UInt8], isExecutable: Bool)
        /// A symbolic link and what it says.
        case link(String)
    }

    /// Relative to the source's root, with slashes, without `.` and `..`.
    let path: String
    let content: Content

    /// How many bytes it holds.
    var sizeBytes: Int {
        switch content {
        case .file(let bytes, _): bytes.count
        case .link(let target): target.utf8.count
        }
    }
}
