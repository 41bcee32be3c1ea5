import Builds
import Cryptography

/// The digest that faas-cli's `--tag=digest` gives a handler's folder.
///
/// MD5 of each regular file, hidden ones included and links passed over, in the order of their paths' bytes; of these hex texts
/// joined the MD5 again. Source: `facts/builder-and-faaso.md` §1.13.
enum HandlerDigest {
    /// Computes it.
    ///
    /// - Parameters:
    ///   - handler: The folder, from the tree's root; empty for the root.
    ///   - tree: The files.
    /// - Returns: 32 hex digits.
    /// - Throws: What reading throws.
    static func digest(of handler: String, in tree: some SourceTree) async throws -> String {
        let files = tree.entries(below: handler).filter { $0.kind == .file || $0.kind == .executable }
        let contents = try await tree.open(files)
        return try await BlockingThread.run {
            Result {
                let all = MD5Hasher()
                for file in files {
                    let one = MD5Hasher()
                    try contents.forEachPiece(of: file) { one.update($0) }
                    all.update(Array(Hex.encode(one.finalize()).utf8))
                }
                return Hex.encode(all.finalize())
            }
        }.get()
    }
}
