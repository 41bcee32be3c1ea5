/// How large the head of a message may be.
public struct HeadLimits: Sendable, Equatable {
    /// All bytes up to and with the empty line: 32 KiB, as much as common clients and servers agree on.
    public var headBytesMaximum = 32 * 1024
    /// The first line: 8 KiB, the least that RFC 9112 §3 recommends to support.
    public var requestLineBytesMaximum = 8 * 1024
    /// Header fields: 100, as many servers have it.
    public var fieldsMaximum = 100

    /// Takes the limits given above.
    public init() {}
}
