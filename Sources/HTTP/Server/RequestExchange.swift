/// Whoever answers one request of a connection: a handler, or an upstream it is proxied to.
///
/// The connection calls it on its loop, in the order of events. HTTP/1.1 has one exchange per connection at a time; the
/// protocol says nothing about that, so that a multiplexing connection can have many.
protocol RequestExchange: AnyObject {
    /// More of the request's content; valid only during the call.
    func requestContent(_ bytes: Span<UInt8>)

    /// The request is complete.
    func requestEnded()

    /// The request will never be complete: the client left or sent something malformed.
    func requestFailed()

    /// All input at hand has been passed on: what was held back to be sent in one piece goes out now.
    func inputProcessed()

    /// The client has taken most of what waited for it; a paused producer may go on.
    func clientOutputFell()

    /// The connection to the client is closed; nothing can be sent any more.
    func clientClosed()

    /// The client of an upgraded connection sends no more.
    func clientEnded()
}
