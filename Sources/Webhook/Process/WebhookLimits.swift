/// The limits of the webhook.
enum WebhookLimits {
    /// GitHub sends no event above 25 MB; the other hosts' are smaller.
    static let bodyBytesMaximum = 25_000_000
    /// Memory for bodies and what is read from them, over all requests: one of the largest, within the container's limit.
    ///
    /// A body counts ``arrivingFactor`` times while it arrives, and ``parsedFactor`` times while it is read.
    static let heldBytesMaximum = 160_000_000
    /// An array that grows piece by piece has up to twice the room it needs.
    static let arrivingFactor = 2
    /// How much larger than its text the tree of a payload is, at the usual length of its strings.
    static let parsedFactor = 5
    /// Bodies above this are checked and read away from the event loop, so that the others do not wait: 1 ms of work.
    static let loopBytesMaximum = 128 * 1024
    /// How long a body may take to arrive; hosts give up after 10 s.
    static let bodyDuration: Duration = .seconds(30)
    /// Identifiers are 36 characters at GitHub; longer ones than this are not taken into the log or an annotation.
    static let deliveryBytesMaximum = 128
    /// Repositories in one event.
    static let repositoriesMaximum = 10_000
    /// Requests to the API server at once for one event.
    static let changesAtOnceMaximum = 16
}
