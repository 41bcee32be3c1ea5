/// What came of one attempt at a call.
public struct CallOutcome: Sendable, Hashable {
    /// Who said so.
    public enum Source: Sendable, Hashable {
        /// The function, or who gets callbacks.
        case answer
        /// The platform in its place: there was no answer.
        case platform
        /// Nobody: it was given up because this process ends.
        case cancelled
    }

    /// Who said so.
    public var source: Source
    /// The status; 0 when there was none.
    public var status: Int
    /// Why there was no answer, in words for people.
    public var reason: String
    /// Whether trying again cannot help, whatever the status.
    public var isFinal: Bool
    /// How long the other side asked to be left alone.
    public var retryAfter: Duration?
    /// The answer's fields that are posted.
    public var headers: [AsyncCall.Field]
    /// The answer's content, empty when nobody wants it or it is too large to be posted.
    public var body: [UInt8]
    /// How long it took.
    public var duration: Duration

    /// Whether the function had as many calls under way as it may: nothing is wrong with it or with the call.
    public var isBusy: Bool { source == .platform && status == 429 }

    /// Makes an outcome.
    public init(
        _ source: Source, status: Int = 0, reason: String = "", isFinal: Bool = false, retryAfter: Duration? = nil,
        headers: [AsyncCall.Field] = [], body: [UInt8] = [], duration: Duration = .zero
    ) {
        self.source = source
        self.status = status
        self.reason = reason
        self.isFinal = isFinal
        self.retryAfter = retryAfter
        self.headers = headers
        self.body = body
        self.duration = duration
    }
}
