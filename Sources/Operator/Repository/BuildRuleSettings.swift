/// What the authors of repositories may do, as the administrator decides it: section `builds` of the configuration.
public struct BuildRuleSettings: Codable, Hashable, Sendable {
    /// Whether functions may bring a Dockerfile of their own.
    public var allowsDockerfile = true
    /// Whether a repository may bring runtimes of its own in its folder `template`; only together with
    /// ``allowsDockerfile``, since a runtime is a Dockerfile.
    public var allowsOwnTemplates = false
    /// Images that functions with `skip_build` may name; a `*` at the end stands for any rest.
    ///
    /// None by default: such an image was built by nobody that this cluster knows.
    public var allowedImages: [String] = []
    /// A commit may hold this many functions.
    public var functionsMaximum = 50

    /// Makes the default settings.
    public init() {}

    /// Decodes; absent fields get their defaults.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        allowsDockerfile = try container.decodeIfPresent(Bool.self, forKey: .allowsDockerfile) ?? allowsDockerfile
        allowsOwnTemplates = try container.decodeIfPresent(Bool.self, forKey: .allowsOwnTemplates) ?? allowsOwnTemplates
        allowedImages = try container.decodeIfPresent([String].self, forKey: .allowedImages) ?? allowedImages
        functionsMaximum = try container.decodeIfPresent(Int.self, forKey: .functionsMaximum) ?? functionsMaximum
    }
}
