/// What the webhook is told at its start: the section `webhook` of the configuration, and options.
public struct WebhookConfiguration: Decodable, Hashable, Sendable {
    /// The port for deliveries; 0 takes a free one.
    ///
    /// Default 8081.
    public var port: UInt16 = 8081
    /// The folder with the secrets: a mounted Secret with `github`, `gitlab`, `gitea`, `git`, each also with `-next`, and
    /// `gitlab-api-token`.
    public var secretsFolder = "/etc/farebox-webhook"
    /// The namespace of Farebox's own processes, for the record of deliveries.
    public var systemNamespace = "farebox-system"
    /// Where Repositories are made; the functions' namespace unless the section says otherwise.
    public var namespace: String?
    /// The file with what every new Repository gets; it need not exist.
    public var templatePath = "/etc/farebox-repository-template/repository.yaml"
    /// Who may have Repositories made.
    public var customers = Customers()
    /// Whether `X-Hub-Signature` (SHA-1) counts where SHA-256 is not there.
    public var acceptsSHA1 = false
    /// Where GitHub is, for events that do not tell.
    public var gitHubURL = "https://github.com"
    /// GitLab.
    public var gitLab = GitLab()

    /// Where the list of customers is.
    public struct Customers: Decodable, Hashable, Sendable {
        /// A file, one name a line; while it does not exist nobody is a customer.
        public var file = "/etc/farebox-customers/customers"
        /// A page of the web in its place.
        public var url: String?

        /// Makes the default: the file.
        public init() {}

        enum CodingKeys: String, CodingKey { case file, url }

        /// Decodes; absent fields get their defaults.
        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            file = try container.decodeIfPresent(String.self, forKey: .file) ?? file
            url = try container.decodeIfPresent(String.self, forKey: .url)
        }
    }

    /// How GitLab is asked about projects.
    public struct GitLab: Decodable, Hashable, Sendable {
        /// Where it is, such as `https://gitlab.example.com`; what it says of itself when absent.
        public var url: String?
        /// Its API; `<url>/api/v4` when absent.
        public var apiURL: String?
        /// The topic of projects that may be built.
        public var topic = "farebox"

        /// Makes the default: topics are looked at only where events tell them.
        public init() {}

        enum CodingKeys: String, CodingKey { case url, apiURL, topic }

        /// Decodes; absent fields get their defaults.
        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            url = try container.decodeIfPresent(String.self, forKey: .url)
            apiURL = try container.decodeIfPresent(String.self, forKey: .apiURL)
            topic = try container.decodeIfPresent(String.self, forKey: .topic) ?? topic
        }

        /// The address of the API without a slash at its end; nil when GitLab is not asked.
        var api: String? {
            var api = apiURL ?? url.map { $0.hasSuffix("/") ? $0 + "api/v4" : $0 + "/api/v4" }
            while api?.hasSuffix("/") == true { api?.removeLast() }
            return api
        }
    }

    /// Makes a configuration with the defaults.
    public init() {}

    enum CodingKeys: String, CodingKey {
        case namespace, template, customers, acceptsSHA1, gitHubURL, gitLab
    }

    /// Decodes the section `webhook`; absent fields get their defaults.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        namespace = try container.decodeIfPresent(String.self, forKey: .namespace)
        templatePath = try container.decodeIfPresent(String.self, forKey: .template) ?? templatePath
        customers = try container.decodeIfPresent(Customers.self, forKey: .customers) ?? customers
        acceptsSHA1 = try container.decodeIfPresent(Bool.self, forKey: .acceptsSHA1) ?? acceptsSHA1
        gitHubURL = try container.decodeIfPresent(String.self, forKey: .gitHubURL) ?? gitHubURL
        gitLab = try container.decodeIfPresent(GitLab.self, forKey: .gitLab) ?? gitLab
    }

    /// What is wrong with the configuration, one sentence each; empty when nothing is.
    public func validate() -> [String] {
        let addresses: [(name: String, value: String?)] = [
            ("customers.url", customers.url), ("gitHubURL", gitHubURL), ("gitLab.url", gitLab.url),
            ("gitLab.apiURL", gitLab.apiURL),
        ]
        var problems = addresses.compactMap { address -> String? in
            guard let value = address.value, !["https://", "http://"].contains(where: value.hasPrefix) else {
                return nil
            }
            return "\(address.name) must begin with https:// or http://"
        }
        if gitLab.topic.isEmpty { problems.append("gitLab.topic must not be empty") }
        return problems
    }
}
