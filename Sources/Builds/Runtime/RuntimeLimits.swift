/// How large runtimes may be: they are held in memory, and become part of every context.
public struct RuntimeLimits: Sendable, Hashable {
    /// Files of one runtime.
    public var filesMaximum = 500
    /// Bytes of one runtime's files together.
    public var bytesMaximum = 4 << 20
    /// Folders inside folders.
    public var depthMaximum = 16
    /// Bytes of a path.
    public var pathBytesMaximum = 512
    /// Runtimes of one source.
    public var runtimesMaximum = 100

    /// Makes the default limits.
    public init() {}

    /// Files and links of all runtimes of one source together.
    var itemsMaximum: Int { filesMaximum * 8 }
    /// Bytes of all runtimes of one source together.
    var sourceBytesMaximum: Int { bytesMaximum * 8 }
}
