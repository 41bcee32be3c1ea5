/// All routes at one moment; it never changes, so whoever holds it sees no half of an update.
struct RouteTable: Sendable {
    /// By owner, in either case, and the function's name inside it.
    var byOwner = RouteIndex(ignoresCase: true)
    /// By the domain that a function has to itself, in either case, and nothing.
    var byDomain = RouteIndex(ignoresCase: true)
    /// By object name and namespace.
    var byObject = RouteIndex(ignoresCase: false)
}
