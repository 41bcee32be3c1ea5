/// The runtimes that stacks may name, at one moment.
public struct RuntimeCatalog: Sendable, Hashable {
    /// A source that could not be read, so that what it holds is not here.
    public struct Gap: Sendable, Hashable {
        /// Where the runtimes should have come from.
        public let source: String
        /// Why they did not.
        public let message: String

        /// Makes a gap.
        public init(source: String, message: String) {
            self.source = source
            self.message = message
        }
    }

    private let runtimes: [String: Runtime]
    /// The sources that are missing: a name that is not known may be one of theirs.
    public let gaps: [Gap]
    /// Names that more than one source has, each with the source that counts and those that do not; for a warning.
    public let clashes: [String]

    /// The name that means the Dockerfile of the handler's own folder; no runtime may have it.
    public static let dockerfile = "dockerfile"

    /// Makes a catalog.
    ///
    /// - Parameters:
    ///   - sources: The runtimes of each source; of those with the same name the last one counts.
    ///   - gaps: The sources that could not be read.
    public init(_ sources: [[Runtime]] = [], gaps: [Gap] = []) {
        var runtimes: [String: Runtime] = [:]
        var clashes: [String] = []
        for runtime in sources.joined() {
            if let other = runtimes[runtime.name] {
                clashes.append("\(runtime.name): \(runtime.source) takes the place of \(other.source)")
            }
            runtimes[runtime.name] = runtime
        }
        self.runtimes = runtimes
        self.clashes = clashes
        self.gaps = gaps
    }

    /// The names in order, without ``dockerfile``.
    public var names: [String] { runtimes.keys.sorted() }

    /// The runtime of that name.
    public func runtime(_ name: String) -> Runtime? { runtimes[name] }

    /// All runtimes in the order of their names.
    public var all: [Runtime] { runtimes.values.sorted { $0.name < $1.name } }
}
