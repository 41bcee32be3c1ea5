import Builds
import Commands

/// How images are tagged: faas-cli's `--tag`.
///
/// The tag is for people; what runs is pinned by digest.
enum ImageTag: String, Sendable, CaseIterable {
    /// As it is written; `latest` where nothing is.
    case latest
    /// The tag and the commit.
    case sha
    /// The tag, the branch and the commit.
    case branch
    /// The tag and what `git describe` says.
    case describe
    /// The digest of the handler's files in the place of the tag.
    case digest

    /// Reads the value of `--tag`; faas-cli's `default` means ``latest``.
    init(typed text: String) throws(UsageError) {
        guard let tag = text == "default" || text.isEmpty ? .latest : ImageTag(rawValue: text) else {
            let known = Self.allCases.map(\.rawValue).joined(separator: ", ")
            throw UsageError("--tag: '\(text.prefix(80))' is not one of \(known)")
        }
        self = tag
    }

    /// Whether Git has to be asked.
    var needsCommit: Bool { self == .sha || self == .branch || self == .describe }

    /// Returns the image's name with its tag.
    ///
    /// - Parameters:
    ///   - image: As the stack has it, with or without tag.
    ///   - commit: What Git says; only looked at when ``needsCommit``.
    ///   - digest: The ``HandlerDigest``.
    func apply(to image: String, commit: GitDescription?, digest: String) -> String {
        let (name, tag) = Self.split(image)
        let written = tag ?? "latest"
        switch self {
        case .latest: return name + ":" + written
        case .sha: return "\(name):\(written)-\(commit?.shortCommit ?? "")"
        case .branch: return "\(name):\(written)-\(Self.cleaned(commit?.branch ?? ""))-\(commit?.shortCommit ?? "")"
        case .describe: return "\(name):\(written)-\(Self.cleaned(commit?.description ?? ""))"
        case .digest: return name + ":" + digest
        }
    }

    /// The name and, when there is one, the tag: what follows a colon in the last part of the path.
    static func split(_ image: String) -> (name: String, tag: String?) {
        guard let colon = image.lastIndex(of: ":"), !image[colon...].contains("/") else { return (image, nil) }
        return (String(image[..<colon]), String(image[image.index(after: colon)...]))
    }

    /// A branch may have slashes, and a tag may not.
    private static func cleaned(_ text: String) -> String {
        String(text.map { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) ? $0 : "-" })
    }
}
