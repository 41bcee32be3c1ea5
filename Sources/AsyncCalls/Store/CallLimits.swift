/// How much a store takes on.
public struct CallLimits: Hashable, Sendable {
    /// Calls that wait, in all.
    public var callsMaximum = 100_000
    /// Calls of one function that wait.
    public var callsPerFunctionMaximum = 50_000
    /// Bytes of all calls that wait.
    public var bytesMaximum = 1 << 30
    /// Calls that were put away; beyond that the oldest are forgotten.
    public var deadMaximum = 10_000

    /// Takes the defaults given above.
    public init() {}
}
