public import Builds
import CRDs
public import KubernetesTypes
import Timing

/// What the cluster decides for every Repository: how sources are fetched, where builds run and where images go.
///
/// Every field has a default except the registry, the builder image and the store's address.
public struct RepositoryClusterConfiguration: Codable, Hashable, Sendable {
    /// How Git is used.
    public var git = GitSettings()
    /// Where images are pushed to and pulled from.
    public var registry = RegistrySettings()
    /// How builds run.
    public var builder = BuilderSettings()
    /// What the authors of repositories may do.
    public var builds = BuildRuleSettings()
    /// Where runtimes come from.
    public var runtimes = RuntimeSettings()
    /// The GitHub App and GitHub's addresses.
    public var gitHub = GitHubSettings()
    /// GitLab's address.
    public var gitLab = GitLabSettings()
    /// What is told to Git hosts.
    public var statuses = StatusSettings()
    /// Where the logs of builds are kept.
    public var logs = LogsConfiguration()
    /// The namespace of Farebox's own processes and Secrets.
    public var systemNamespace = "farebox-system"
    /// The namespace of build Jobs.
    public var buildsNamespace = "farebox-builds"

    /// Makes the default configuration.
    public init() {}

    /// Decodes; absent fields get their defaults.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        git = try container.value(.git, git)
        registry = try container.value(.registry, registry)
        builder = try container.value(.builder, builder)
        builds = try container.value(.builds, builds)
        runtimes = try container.value(.runtimes, runtimes)
        gitHub = try container.value(.gitHub, gitHub)
        gitLab = try container.value(.gitLab, gitLab)
        statuses = try container.value(.statuses, statuses)
        logs = try container.value(.logs, logs)
        systemNamespace = try container.value(.systemNamespace, systemNamespace)
        buildsNamespace = try container.value(.buildsNamespace, buildsNamespace)
    }

    /// How Git is used.
    public struct GitSettings: Codable, Hashable, Sendable {
        /// Whether `http://` is accepted; anyone on the way could then change what gets built.
        public var allowsPlainHTTP = false
        /// Whether hosts with private addresses are accepted: for a Git host inside the cluster's network.
        public var allowsPrivateAddresses = false
        /// Where checkouts work; a bounded volume.
        public var scratchFolder = "/tmp"
        /// Extra trusted certificates in PEM, as a file.
        public var certificatesPath: String?
        /// The keys of SSH hosts, as lines of a `known_hosts` file, beside github.com's and gitlab.com's.
        public var knownHosts = ""
        /// One checkout may take this long, as `2m`.
        public var timeout = "2m"
        /// What Git receives for one commit may take this much disk.
        public var receivedBytesMaximum = 256 << 20
        /// The files of one commit may have this much together.
        public var filesBytesMaximum = 512 << 20
        /// One commit may hold this many files.
        public var filesMaximum = 20_000
        /// One function's folder may have this much.
        public var contextBytesMaximum = 128 << 20
        /// Checkouts at once.
        public var concurrency = 4

        /// Makes the default settings.
        public init() {}

        /// Decodes; absent fields get their defaults.
        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            allowsPlainHTTP = try container.value(.allowsPlainHTTP, allowsPlainHTTP)
            allowsPrivateAddresses = try container.value(.allowsPrivateAddresses, allowsPrivateAddresses)
            scratchFolder = try container.value(.scratchFolder, scratchFolder)
            certificatesPath = try container.decodeIfPresent(String.self, forKey: .certificatesPath)
            knownHosts = try container.value(.knownHosts, knownHosts)
            timeout = try container.value(.timeout, timeout)
            receivedBytesMaximum = try container.value(.receivedBytesMaximum, receivedBytesMaximum)
            filesBytesMaximum = try container.value(.filesBytesMaximum, filesBytesMaximum)
            filesMaximum = try container.value(.filesMaximum, filesMaximum)
            contextBytesMaximum = try container.value(.contextBytesMaximum, contextBytesMaximum)
            concurrency = try container.value(.concurrency, concurrency)
        }
    }

    /// Where images are pushed to and pulled from.
    public struct RegistrySettings: Codable, Hashable, Sendable {
        /// Prefix of pushed names: a host with optional path; a slash at the end asks for flat names.
        public var push = ""
        /// Prefix under which nodes pull the same images; `push` when absent.
        public var pull: String?
        /// Registries that speak plain http, as `host:port`.
        public var insecure: [String] = []
        /// Mirrors by registry, such as `docker.io`.
        public var mirrors: [String: String] = [:]
        /// How many images of a function are kept beside the one that runs; older ones are removed from the registry.
        public var keepsImages = 5
        /// The Secret of type `kubernetes.io/dockerconfigjson` with the registries' passwords.
        public var credentials: SecretReference?

        /// Makes the default settings.
        public init() {}

        /// Decodes; absent fields get their defaults.
        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            push = try container.value(.push, push)
            pull = try container.decodeIfPresent(String.self, forKey: .pull)
            insecure = try container.value(.insecure, insecure)
            mirrors = try container.value(.mirrors, mirrors)
            keepsImages = try container.value(.keepsImages, keepsImages)
            credentials = try container.decodeIfPresent(SecretReference.self, forKey: .credentials)
        }
    }

    /// How builds run.
    public struct BuilderSettings: Codable, Hashable, Sendable {
        /// The image with `buildctl-daemonless.sh`.
        public var image = ""
        /// Where build pods, and the operator, reach the artifact store.
        public var artifactsURL = "http://farebox-builder.farebox-system"
        /// One build may take this long, as `15m`.
        public var timeout = "15m"
        /// Memory of a build pod.
        public var memory = "2Gi"
        /// Memory that a build pod is scheduled by.
        public var memoryRequest = "512Mi"
        /// CPU that a build pod is scheduled by, and its weight among what runs on a busy node.
        public var cpu = "50m"
        /// Disk for BuildKit's state.
        public var stateBytes = "8Gi"
        /// Keeps BuildKit's state in memory: faster, and counted against `memory`.
        public var keepsStateInMemory = false
        /// Whether layers are kept in the registry beside the image.
        public var usesRegistryCache = true
        /// So many builds run at once.
        public var buildsMaximum = 10
        /// So many of them belong to one owner.
        public var buildsPerOwnerMaximum = 5
        /// So many of them belong to one Repository.
        public var buildsPerRepositoryMaximum = 5
        /// Private ranges that builds may reach beside the Internet, such as a package mirror's.
        ///
        /// Registries that are named by an IPv4 address need no mention.
        public var egressCIDRs: [AddressRange] = []
        /// The TCP ports that are open there; empty for all, of any protocol.
        public var egressPorts: [Int32] = []
        /// The artifact store's pods, which builds may reach.
        public var artifactPods = PodSelection(
            namespace: "farebox-system",
            podLabels: ["app.kubernetes.io/name": "farebox", "app.kubernetes.io/component": "builder"])
        /// The port those pods listen on.
        public var artifactPort: Int32 = 8082

        /// Makes the default settings.
        public init() {}

        /// Decodes; absent fields get their defaults.
        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            image = try container.value(.image, image)
            artifactsURL = try container.value(.artifactsURL, artifactsURL)
            timeout = try container.value(.timeout, timeout)
            memory = try container.value(.memory, memory)
            memoryRequest = try container.value(.memoryRequest, memoryRequest)
            cpu = try container.value(.cpu, cpu)
            stateBytes = try container.value(.stateBytes, stateBytes)
            keepsStateInMemory = try container.value(.keepsStateInMemory, keepsStateInMemory)
            usesRegistryCache = try container.value(.usesRegistryCache, usesRegistryCache)
            buildsMaximum = try container.value(.buildsMaximum, buildsMaximum)
            buildsPerOwnerMaximum = try container.value(.buildsPerOwnerMaximum, buildsPerOwnerMaximum)
            buildsPerRepositoryMaximum = try container.value(.buildsPerRepositoryMaximum, buildsPerRepositoryMaximum)
            egressCIDRs = try container.value(.egressCIDRs, egressCIDRs)
            egressPorts = try container.value(.egressPorts, egressPorts)
            artifactPods = try container.value(.artifactPods, artifactPods)
            artifactPort = try container.value(.artifactPort, artifactPort)
        }

        var queueLimits: BuildQueue.Limits {
            BuildQueue.Limits(
                total: buildsMaximum, perOwner: buildsPerOwnerMaximum, perRepository: buildsPerRepositoryMaximum)
        }
    }

    /// Returns what is wrong with the configuration, one sentence each; empty when nothing is.
    public func validate() -> [String] {
        var problems: [String] = []
        if registry.push.isEmpty { problems.append("registry.push: name the registry that images are pushed to") }
        if builder.image.isEmpty { problems.append("builder.image: name the image that builds run in") }
        for (name, text) in [("git.timeout", git.timeout), ("builder.timeout", builder.timeout)]
        where Duration(goStyle: text).map({ $0 > .zero }) != true {
            problems.append("\(name): \"\(text)\" is not a span of time above zero; write it like 30s or 5m")
        }
        if !builder.artifactsURL.hasPrefix("http://"), !builder.artifactsURL.hasPrefix("https://") {
            problems.append("builder.artifactsURL: \"\(builder.artifactsURL)\" must begin with http:// or https://")
        }
        if !registry.push.isEmpty {
            do {
                _ = try naming.image(
                    stackImage: "f", owner: "o", repository: "r", branch: "b", commit: "c")
            } catch {
                problems.append("registry.push: \(error)")
            }
        }
        if !(0...RepositoryFunction.previousImagesMaximum).contains(registry.keepsImages) {
            problems.append("registry.keepsImages: must be from 0 to \(RepositoryFunction.previousImagesMaximum)")
        }
        problems += [
            GitHostURL.problem(gitHub.apiURL, "gitHub.apiURL"),
            gitLab.apiURL.flatMap { GitHostURL.problem($0, "gitLab.apiURL") },
        ].compactMap { $0 }
        problems += logs.validate().map { "logs." + $0 }
        for (name, value) in [
            ("git.concurrency", git.concurrency), ("git.filesMaximum", git.filesMaximum),
            ("builder.buildsMaximum", builder.buildsMaximum),
            ("builder.buildsPerOwnerMaximum", builder.buildsPerOwnerMaximum),
            ("builder.buildsPerRepositoryMaximum", builder.buildsPerRepositoryMaximum),
            ("builds.functionsMaximum", builds.functionsMaximum),
        ]
        where value < 1 {
            problems.append("\(name): must be above 0")
        }
        return problems + runtimes.validate(allowsPlainHTTP: git.allowsPlainHTTP)
    }

    /// What a stack file may set, or a client of OpenFaaS' REST API.
    public func stackRules(_ functions: FunctionClusterConfiguration) -> StackRules {
        var rules = StackRules(
            allowedLabels: functions.allowedLabels, allowedAnnotations: functions.allowedAnnotations)
        rules.allowsDockerfile = builds.allowsDockerfile
        rules.allowedImages = builds.allowedImages
        rules.functionsMaximum = builds.functionsMaximum
        rules.cpuMaximum = functions.resources.cpuMaximum
        rules.memoryMaximum = functions.resources.memoryMaximum
        rules.replicasMaximum = functions.resources.replicasMaximum
        return rules
    }

    var naming: ImageNaming { ImageNaming(push: registry.push, pull: registry.pull) }

    var gitConfiguration: GitConfiguration {
        var configuration = GitConfiguration()
        configuration.allowsPlainHTTP = git.allowsPlainHTTP
        configuration.allowsPrivateAddresses = git.allowsPrivateAddresses
        configuration.scratchFolder = git.scratchFolder
        configuration.certificatesPath = git.certificatesPath
        configuration.knownHosts += git.knownHosts
        configuration.checkoutTimeout = Duration(goStyle: git.timeout) ?? configuration.checkoutTimeout
        configuration.receivedBytesMaximum = git.receivedBytesMaximum
        configuration.filesBytesMaximum = git.filesBytesMaximum
        configuration.filesMaximum = git.filesMaximum
        return configuration
    }

    var contextLimits: BuildContext.Limits {
        var limits = BuildContext.Limits()
        limits.bytesMaximum = git.contextBytesMaximum
        limits.allowsDockerfile = builds.allowsDockerfile
        return limits
    }

    /// The settings that build Jobs are made with.
    public var buildConfiguration: BuildConfiguration {
        var configuration = BuildConfiguration()
        configuration.namespace = buildsNamespace
        configuration.builderImage = builder.image
        configuration.artifactsURL = builder.artifactsURL
        configuration.timeout = Duration(goStyle: builder.timeout) ?? configuration.timeout
        configuration.memory = builder.memory
        configuration.memoryRequest = builder.memoryRequest
        configuration.cpu = builder.cpu
        configuration.stateBytes = builder.stateBytes
        configuration.keepsStateInMemory = builder.keepsStateInMemory
        configuration.usesRegistryCache = builder.usesRegistryCache
        configuration.insecureRegistries = registry.insecure
        configuration.mirrors = registry.mirrors
        return configuration
    }

    /// The registries that the administrator named, as `host` or `host:port`; they may be on private addresses.
    public var ownRegistries: Set<String> {
        let named = [registry.push, registry.pull ?? ""].compactMap { $0.split(separator: "/").first.map(String.init) }
        return Set(named + registry.insecure + registry.mirrors.keys)
    }

    /// How registries are asked for digests.
    public var registryClientConfiguration: RegistryClient.Configuration {
        RegistryClient.Configuration(insecureRegistries: Set(registry.insecure), mirrors: registry.mirrors)
    }
}

extension KeyedDecodingContainer {
    /// The value of a key, or `absent` when there is none.
    fileprivate func value<Value: Decodable>(_ key: Key, _ absent: Value) throws -> Value {
        try decodeIfPresent(Value.self, forKey: key) ?? absent
    }
}
