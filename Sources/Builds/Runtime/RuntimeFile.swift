/// One file of a runtime, held in memory.
public struct RuntimeFile: Sendable, Hashable {
    /// Relative to the runtime's folder, with slashes, without `.` and `..`.
    public let path: String
    /// Its content.
    public let bytes: [UInt8]
    /// Whether it may be run.
    public let isExecutable: Bool

    /// The end of the names of files that are rendered; the rendered file goes without it.
    public static let templateSuffix = ".j2"

    /// Makes a file.
    public init(path: String, bytes: [UInt8], isExecutable: Bool = false) {
        self.path = path
        self.bytes = bytes
        self.isExecutable = isExecutable
    }

    /// Whether a FaaSO runtime renders it; OpenFaaS templates are copied as they are.
    public var isTemplate: Bool {
        path.hasSuffix(Self.templateSuffix) && !path.hasSuffix("/" + Self.templateSuffix)
            && path != Self.templateSuffix
    }
}
