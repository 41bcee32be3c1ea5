/// The GitHub App and GitHub's addresses: the configuration's section `gitHub`.
public struct GitHubSettings: Codable, Hashable, Sendable {
    /// Where GitHub's API begins; for GitHub Enterprise `https://<host>/api/v3`.
    public var apiURL = "https://api.github.com"
    /// The App's number or client id; the key `appID` of the Secret when empty.
    public var appID = ""
    /// The Secret with the App's `privateKey` in PEM, and its `appID` if that is not in ``appID``.
    public var app: SecretReference?
    /// Whether Repositories of an installation get check runs; commit statuses otherwise.
    public var usesChecks = true

    /// Makes the default settings.
    public init() {}

    /// Decodes; absent fields get their defaults.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        apiURL = try container.decodeIfPresent(String.self, forKey: .apiURL) ?? apiURL
        appID = try container.decodeIfPresent(String.self, forKey: .appID) ?? appID
        app = try container.decodeIfPresent(SecretReference.self, forKey: .app)
        usesChecks = try container.decodeIfPresent(Bool.self, forKey: .usesChecks) ?? usesChecks
    }

    /// Where GitHub's repositories are, told by where its API is.
    ///
    /// A token of the App is sent nowhere else.
    var origin: String { apiURL == "https://api.github.com" ? "https://github.com" : GitHostURL.origin(of: apiURL) }
}

/// GitLab's address: the configuration's section `gitLab`.
public struct GitLabSettings: Codable, Hashable, Sendable {
    /// Where GitLab's API begins, such as `https://gitlab.example.com/api/v4`; `/api/v4` on each Repository's own host
    /// when absent.
    public var apiURL: String?

    /// Makes the default settings.
    public init() {}
}

/// What is told to Git hosts: the configuration's section `statuses`.
public struct StatusSettings: Codable, Hashable, Sendable {
    /// Whether Git hosts are told how commits do.
    public var areReported = true

    /// Makes the default settings.
    public init() {}

    /// Decodes; absent fields get their defaults.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        areReported = try container.decodeIfPresent(Bool.self, forKey: .areReported) ?? areReported
    }
}

/// Parts of the addresses that administrators write.
enum GitHostURL {
    /// Scheme, host and port.
    static func origin(of url: String) -> String {
        guard let separator = url.firstRange(of: "://") else { return url }
        return url[..<separator.upperBound] + url[separator.upperBound...].prefix { $0 != "/" }.lowercased()
    }

    /// Without slashes at the end.
    static func trimmed(_ url: String) -> String {
        var url = url[...]
        while url.last == "/" { url.removeLast() }
        return String(url)
    }

    /// What is wrong with an address of an API; nil when nothing is.
    static func problem(_ url: String, _ name: String) -> String? {
        let isSound =
            (url.hasPrefix("https://") || url.hasPrefix("http://")) && !url.contains("@") && !url.contains("?")
            && !url.contains("#") && !url.contains(where: \.isWhitespace) && origin(of: url).count > 8
        return isSound ? nil : "\(name): \"\(url)\" must be an http or https URL without user and query"
    }
}
