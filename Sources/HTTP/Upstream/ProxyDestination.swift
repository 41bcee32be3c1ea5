/// Where proxied requests go: one service with any number of endpoints.
public protocol ProxyDestination: AnyObject, Sendable {
    /// Chooses an endpoint for one request, or one more attempt at it, and counts the request there
    /// (``UpstreamEndpoint/begin(maximum:)``).
    ///
    /// Called on the loop for every request: it must not block, and had better not allocate.
    ///
    /// - Parameters:
    ///   - failed: The endpoint that the last attempt failed at: any other is better, also one that came later than the
    ///     request.
    ///   - random: Random bits to choose with.
    func endpoint(avoiding failed: UpstreamEndpoint?, random: UInt64) -> EndpointChoice

    /// One request is over; called exactly once for each that was decided to be proxied here.
    ///
    /// - Parameters:
    ///   - outcome: How it went.
    ///   - context: What the call was given for this moment.
    func finished(_ outcome: ProxyOutcome, context: AnyObject?)
}

/// What a destination chose for a request.
public enum EndpointChoice {
    /// The request goes there, and is counted there.
    case endpoint(UpstreamEndpoint)
    /// There is none now: the client gets 503 with Retry-After.
    case none
    /// Each has as many requests under way as it may: the client gets 429 with Retry-After.
    case allBusy
}

/// One request to be proxied.
public struct ProxyCall {
    /// Where it goes.
    public let destination: any ProxyDestination
    /// What of the path (and the query after it) is sent: a stretch that ends where the request's target ends.
    ///
    /// A `/` is put before it when it does not begin with one.
    public let target: ByteRange
    /// How long the upstream may stay silent: from the last of the request to the first of the response, and between
    /// two pieces of the response.
    public let silenceNanoseconds: UInt64
    /// What the destination gets back when the call is over.
    public let context: AnyObject?
    /// Who else is told when the call is over.
    public let witness: (any CallWitness)?

    /// Makes a call.
    ///
    /// - Parameters:
    ///   - destination: Where it goes.
    ///   - head: The request's head.
    ///   - prefixEnd: Where in the request's bytes the part of the path begins that the upstream sees.
    ///   - silence: How long the upstream may stay silent.
    ///   - context: What the destination gets back when the call is over.
    ///   - witness: Who else is told when the call is over.
    public init(
        to destination: any ProxyDestination, head: RequestHead, prefixEnd: Int, silence: Duration,
        context: AnyObject? = nil, witness: (any CallWitness)? = nil
    ) {
        precondition(
            prefixEnd >= head.target.start && prefixEnd <= head.target.end, "The prefix ends outside of the target")
        self.destination = destination
        target = ByteRange(prefixEnd, head.target.end)
        silenceNanoseconds = silence.wholeNanoseconds
        self.context = context
        self.witness = witness
    }
}

/// Is told of one call, once it is over.
public protocol CallWitness: AnyObject, Sendable {
    /// The call is over; called exactly once, on the loop: it must not block.
    ///
    /// - Parameters:
    ///   - outcome: How it went.
    ///   - requestID: The id that caller and function were told.
    ///   - remoteAddress: The caller's address.
    func ended(_ outcome: ProxyOutcome, requestID: String, remoteAddress: String)
}

/// How one proxied request went.
public struct ProxyOutcome: Sendable {
    /// Who ended it.
    public enum Cause: Sendable, Equatable {
        /// The upstream answered and the client has everything.
        case answered
        /// There was no endpoint.
        case noEndpoint
        /// Every endpoint had as many requests under way as it may.
        case allBusy
        /// No endpoint could be connected to.
        case connectFailed
        /// The upstream broke off or answered nonsense.
        case upstreamFailed
        /// The upstream stayed silent too long.
        case timedOut
        /// The client left, or its request broke off.
        case clientLeft
    }

    /// What the client was told; 499 when it left before anything could be said.
    public let status: Int
    /// Who ended it.
    public let cause: Cause
    /// From the request's head to the end of the response, in nanoseconds.
    public let nanoseconds: UInt64
    /// From the request's head to the response's, in nanoseconds; 0 without a response.
    public let firstByteNanoseconds: UInt64
    /// How many endpoints or connections were tried.
    public let attempts: Int
    /// Whether anything of the request was sent to an endpoint.
    public let wasSent: Bool
    /// Endpoints that this request's failures brought out of use for a while.
    public let ejections: Int
    /// How long it waited before, in nanoseconds, at a gate that tells clients about the wait; else 0.
    public var waitedNanoseconds: UInt64 = 0
}
