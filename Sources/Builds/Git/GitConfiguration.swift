/// What the operator allows a checkout to do and to use.
public struct GitConfiguration: Sendable, Equatable {
    /// Absolute path of the `git` program.
    public var program = "/usr/bin/git"
    /// Absolute path of the `ssh` program, for addresses of that scheme.
    public var sshProgram = "/usr/bin/ssh"
    /// The keys of hosts that are spoken to over SSH, as lines of a `known_hosts` file, beside those of the credentials.
    public var knownHosts = WellKnownHosts.text
    /// Folder for the work; each checkout makes and removes its own below it.
    public var scratchFolder = "/tmp"
    /// Whether `http://` is accepted; off, since anyone on the way could change what gets built.
    public var allowsPlainHTTP = false
    /// Whether hosts with private, loopback and link-local addresses are accepted; off, since tenants choose the host.
    public var allowsPrivateAddresses = false
    /// Extra trusted certificates in PEM, as a file; the system's own when nil.
    public var certificatesPath: String?
    /// One whole checkout may take this long.
    public var checkoutTimeout: Duration = .seconds(120)
    /// One question for the head of a branch may take this long.
    public var headTimeout: Duration = .seconds(20)
    /// A connection slower than 1 kB/s for this long is given up.
    public var stallTimeout: Duration = .seconds(20)
    /// What Git receives may take this much disk.
    public var receivedBytesMaximum = 256 << 20
    /// The files of the commit may have this much together.
    public var filesBytesMaximum = 512 << 20
    /// The commit may hold this many files.
    public var filesMaximum = 20_000
    /// A path in the commit may have this many bytes.
    public var pathBytesMaximum = 1024

    /// Makes a configuration with the defaults.
    public init() {}
}
