/// The times and sizes of a list-and-watch; the defaults are those of client-go unless said otherwise.
struct ReflectorLimits: Sendable, Equatable {
    /// Objects per page of a list.
    var pageObjects = 500

    /// The shortest `timeoutSeconds` of a watch; the longest is twice this.
    var watchTimeout = Duration.seconds(300)

    /// An open watch that says nothing for this long is taken for dead.
    ///
    /// The server sends a bookmark each minute, so a healthy watch is never silent for 70 s (kopf uses the same figure).
    var silence = Duration.seconds(70)

    /// So many silent watches in a row are reopened; the next one leads to a list (about 35 minutes).
    var silentWatchesMaximum = 30

    /// The wait after the first failure; it doubles with each further one.
    var backoffBase = Duration.milliseconds(800)

    /// The longest wait, before jitter of up to as much again.
    var backoffCeiling = Duration.seconds(30)

    /// The longest wait a server may ask for.
    var retryAfterMaximum = Duration.seconds(120)

    /// A watch that lived this long was healthy: earlier failures are forgotten.
    var healthy = Duration.seconds(120)

    /// A watch that ends sooner than this without any event counts as a failure.
    var shortWatch = Duration.seconds(1)

    /// How long internal server errors are answered by resuming; then the whole state is listed again.
    var internalErrors = Duration.seconds(60)
}
