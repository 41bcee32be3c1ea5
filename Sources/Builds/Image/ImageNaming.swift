import Cryptography

/// Which image a function of a repository is pushed as, and how the cluster's nodes name the same image.
///
/// The scheme is OpenFaaS Cloud's: `<registry>/<owner>/<repository>-<image>:<tag>-<branch>-<first 7 of the commit>`, all
/// in lower case; a prefix that ends in a slash (a registry with a flat name space) gives
/// `<prefix><owner>-<repository>-<image>:…`. What the image grammar has no room for is replaced by a dash, and a part
/// that had to change or to be shortened gets the first eight digits of its SHA-256, so that two names never meet.
/// The tag is a label for people: everything that runs is pinned by digest.
public struct ImageNaming: Sendable {
    /// Where builds push to: a host with optional path, for example `registry:5000` or `docker.io/of-community/`.
    public let push: String
    /// Where nodes pull from; often the same place under another name.
    public let pull: String

    /// - Parameters:
    ///   - push: Prefix of the pushed name; a trailing slash asks for flat names.
    ///   - pull: Prefix that replaces `push` in the name a pod runs; `push` itself when nil or empty.
    public init(push: String, pull: String? = nil) {
        self.push = push
        self.pull = pull.flatMap { $0.isEmpty ? nil : $0 } ?? push
    }

    /// Returns the name that a build pushes.
    ///
    /// - Parameters:
    ///   - stackImage: The `image` of the stack file; only the part after its last slash counts. With none, the
    ///     function's own name is a good choice.
    ///   - owner: The owner on the Git host; case does not matter.
    ///   - repository: The repository's short name; case does not matter.
    ///   - branch: The branch as Git writes it; slashes become dashes.
    ///   - commit: The full commit; its first seven digits are used.
    /// - Throws: ``ImageReferenceError`` when the configured prefix is no image name.
    public func image(
        stackImage: String, owner: String, repository: String, branch: String, commit: String
    ) throws(ImageReferenceError) -> ImageReference {
        var last = stackImage.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        if let at = last.firstIndex(of: "@") { last = last[..<at] }
        var tag: Substring = "latest"
        if let colon = last.firstIndex(of: ":") {
            tag = last[last.index(after: colon)...]
            last = last[..<colon]
        }
        let isFlat = push.hasSuffix("/")
        let prefix = (isFlat ? String(push.dropLast()) : push).lowercased()
        let ownerPart = Self.component(owner)
        let repositoryPart = Self.component(repository + "-" + last)
        let path = isFlat ? [ownerPart + "-" + repositoryPart] : [ownerPart, repositoryPart]
        return try Self.parse(
            prefix: prefix, path: path, tag: Self.tag(String(tag), branch: branch, commit: commit))
    }

    /// Returns the name under which nodes pull what was pushed as `image`.
    ///
    /// Only a name below the push prefix changes; any other comes back as it was.
    public func pullName(of image: String) -> String {
        guard push != pull, image.hasPrefix(push) else { return image }
        return pull + image.dropFirst(push.count)
    }

    /// Returns the name under which was pushed what nodes pull as `image`; the reverse of ``pullName(of:)``.
    public func pushName(ofPulled image: String) -> String {
        guard push != pull, image.hasPrefix(pull) else { return image }
        return push + image.dropFirst(pull.count)
    }

    /// One path component made of any text: lower-case, dashes for what does not fit, a mark when it changed.
    static func component(_ text: String) -> String {
        let lower = text.lowercased()
        if ImageReference.isPathComponent(Substring(lower)), lower.utf8.count <= componentCharactersMaximum {
            return lower
        }
        let plain = dashed(lower) { ASCII.isLowerAlphanumeric($0) }
        let mark = SHA256.hash(of: Array(lower.utf8)).hex.prefix(8)
        let kept = trimmed(String(plain.prefix(componentCharactersMaximum - 9)))
        return kept.isEmpty ? String(mark) : kept + "-" + mark
    }

    /// Longest path component before it is shortened: three of them and a host stay far below 255.
    static let componentCharactersMaximum = 100

    /// The tag: image tag, branch and short commit, cut to what a tag may hold; the commit always survives.
    static func tag(_ tag: String, branch: String, commit: String) -> String {
        let end = "-" + dashed(String(commit.prefix(7)).lowercased(), keep: ImageReference.isTagByte)
        var text = dashed((tag + "-" + branch).lowercased(), keep: ImageReference.isTagByte)
        while let first = text.first, first == "." || first == "-" { text.removeFirst() }
        return (text.isEmpty ? "x" : String(text.prefix(ImageReference.tagCharactersMaximum - end.utf8.count))) + end
    }

    private static func parse(
        prefix: String, path: [String], tag: String
    ) throws(ImageReferenceError) -> ImageReference {
        try ImageReference(parsing: ([prefix] + path).joined(separator: "/") + ":" + tag)
    }

    /// Replaces each run of bytes that may not stay by one dash.
    private static func dashed(_ text: String, keep: (UInt8) -> Bool) -> String {
        var result: [UInt8] = []
        var isGap = false
        for byte in text.utf8 {
            if keep(byte) {
                result.append(byte)
                isGap = false
            } else if !isGap {
                result.append(ASCII.dash)
                isGap = true
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func trimmed(_ text: String) -> String {
        var text = Substring(text)
        while text.first == "-" { text.removeFirst() }
        while text.last == "-" { text.removeLast() }
        return String(text)
    }
}
