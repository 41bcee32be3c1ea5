/// Tells the small files that Git LFS leaves in the place of large ones.
///
/// LFS content is not fetched: a function built from pointers would be broken in a way that is hard to see.
/// Source: the Git LFS specification, "The Pointer".
enum LFSPointer {
    /// A pointer is smaller than this.
    static let bytesMaximum = 1024

    /// Whether the content of a file is a pointer.
    static func isPointer(_ content: [UInt8]) -> Bool {
        guard content.count < bytesMaximum, let text = String(validating: content, as: UTF8.self) else { return false }
        let lines = text.split(separator: "\n")
        let versions = ["version https://git-lfs.github.com/spec/v1", "version https://hawser.github.com/spec/v1"]
        guard let first = lines.first, versions.contains(String(first)) else { return false }
        return lines.contains { $0.hasPrefix("oid sha256:") } && lines.contains { $0.hasPrefix("size ") }
    }
}
