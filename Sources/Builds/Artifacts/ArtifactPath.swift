/// Where an artifact lives in the store: `/artifacts/sha256-<64 hex>.tar`.
public enum ArtifactPath {
    /// The folder of the URL space.
    public static let prefix = "/artifacts/"

    /// The last part of the path, which is also the name of the file on disk.
    public static func fileName(digest: String) -> String { "sha256-" + digest + ".tar" }

    /// The path of an artifact.
    public static func path(digest: String) -> String { prefix + fileName(digest: digest) }

    /// The digest that a path names; nil for any other path.
    public static func digest(inPath path: String) -> String? {
        guard path.hasPrefix(prefix) else { return nil }
        return digest(inFileName: String(path.dropFirst(prefix.count)))
    }

    /// The digest that a file name holds; nil for any other name.
    public static func digest(inFileName name: String) -> String? {
        guard name.hasPrefix("sha256-"), name.hasSuffix(".tar") else { return nil }
        let digest = String(name.dropFirst("sha256-".count).dropLast(".tar".count))
        return ImageReference.isDigest("sha256:" + digest) ? digest : nil
    }

    /// The URL of an artifact in the store at `base`.
    public static func url(base: String, digest: String) -> String {
        (base.hasSuffix("/") ? String(base.dropLast()) : base) + path(digest: digest)
    }

    /// The host of a URL, without scheme, port and brackets: what BuildKit names the token's secret after.
    static func host(of url: String) -> String {
        var rest = url[...]
        if let scheme = rest.firstIndex(of: ":"), rest[scheme...].hasPrefix("://") {
            rest = rest[scheme...].dropFirst(3)
        }
        if let slash = rest.firstIndex(of: "/") { rest = rest[..<slash] }
        if rest.hasPrefix("["), let end = rest.firstIndex(of: "]") {
            return String(rest[rest.index(after: rest.startIndex)..<end])
        }
        if let colon = rest.firstIndex(of: ":") { rest = rest[..<colon] }
        return String(rest)
    }
}
