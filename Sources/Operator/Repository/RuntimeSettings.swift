import Builds

/// Where runtimes come from, as the administrator decides it: section `runtimes` of the configuration.
///
/// Of runtimes with the same name the later source counts: the folder, then commits, then artifacts, then ConfigMaps.
public struct RuntimeSettings: Codable, Hashable, Sendable {
    /// A folder in the operator's own image or on a volume of its pod, with one folder for each runtime.
    public var folder = "/usr/share/farebox/runtimes"
    /// Commits of Git repositories that anybody may read.
    public var git: [Commit] = []
    /// OCI artifacts, with the registry's credentials.
    public var oci: [Artifact] = []

    /// Makes the default settings.
    public init() {}

    /// Decodes; absent fields get their defaults.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        folder = try container.decodeIfPresent(String.self, forKey: .folder) ?? folder
        git = try container.decodeIfPresent([Commit].self, forKey: .git) ?? git
        oci = try container.decodeIfPresent([Artifact].self, forKey: .oci) ?? oci
    }

    /// One commit.
    public struct Commit: Codable, Hashable, Sendable {
        /// The repository.
        public var url: String
        /// Its full name: a branch or tag would let others change what is built here.
        public var commit: String
        /// Where to look for it when the host hands out no commits by name; `main` when absent.
        public var branch: String?
        /// The folder with the runtimes; the root, or its folder `template`, when absent.
        public var path: String?
    }

    /// One artifact.
    public struct Artifact: Codable, Hashable, Sendable {
        /// Its name with a digest.
        public var image: String
        /// The folder with the runtimes; the root, or its folder `template`, when absent.
        public var path: String?
    }

    /// Returns what is wrong with the settings, one sentence each.
    ///
    /// - Parameter allowsPlainHTTP: Whether Git may be fetched over http.
    func validate(allowsPlainHTTP: Bool) -> [String] {
        var problems: [String] = []
        if !folder.isEmpty, !folder.hasPrefix("/") {
            problems.append("runtimes.folder: \"\(folder)\" must begin with /")
        }
        for (index, source) in git.enumerated() {
            do {
                _ = try GitURL(source.url, allowsPlainHTTP: allowsPlainHTTP)
            } catch {
                problems.append("runtimes.git[\(index)].url: \(error.message)")
            }
            if !GitRevision.isCommit(source.commit) {
                problems.append("runtimes.git[\(index)].commit: name a commit by its 40 or 64 hex digits")
            }
            if let branch = source.branch, !GitRevision.isBranch(branch) {
                problems.append("runtimes.git[\(index)].branch: this is no name of a branch")
            }
        }
        for (index, source) in oci.enumerated() where (try? ImageReference(parsing: source.image))?.digest == nil {
            problems.append("runtimes.oci[\(index)].image: name an artifact by its digest, as registry/name@sha256:…")
        }
        return problems
    }
}
