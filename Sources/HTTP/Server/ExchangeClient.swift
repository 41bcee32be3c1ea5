/// What an exchange sees of the client it answers: a connection of HTTP/1.1, or one stream of HTTP/2.
///
/// A response is told as HTTP/1.1 has it: a head in one piece, then content. A stream reads the head again; that is little
/// beside what compresses it, and everything before that is the same for both.
protocol ExchangeClient: AnyObject {
    var server: ServerLoop { get }
    var loop: EventLoop { get }
    var remoteAddress: String { get }
    /// Whether the client came by TLS.
    var isSecure: Bool { get }
    /// Whether anything can still be sent.
    var isOpen: Bool { get }
    var requestID: RequestID { get }
    /// Whether the request's method is HEAD.
    var isHeadRequest: Bool { get }
    /// Whether content of unknown length is sent in chunks; else the end of the connection or the stream ends it.
    var takesChunks: Bool { get }
    var hasResponseStarted: Bool { get }

    /// Takes no more of the request's content until `resumeReading`.
    func pauseReading()
    func resumeReading()
    /// Starts the wait for the client anew.
    func updateDeadline()
    /// Tells a client that waits for it to send its content (RFC 9110 §10.1.1).
    func sendContinueIfAwaited()
    /// Decides, when a response starts, whether the connection stays; the response's head has to say so.
    func responseStarts(isFinal: Bool)
    /// Gives up keeping the connection: the response's end will be its end.
    func endsConnection()
    /// Says in `server.responseScratch` whether the connection stays.
    func appendConnectionField()
    /// Sends a head, or content after one.
    ///
    /// - Returns: Whether so much waits now that the producer must pause until `clientOutputFell`.
    func sendResponse(_ bytes: Span<UInt8>) -> Bool
    /// The exchange has sent the whole response.
    func responseEnded()
    /// The exchange has sent a 101: from now on bytes pass to `upstream` and back as they are.
    func becomeTunnel(to upstream: Channel)
    /// Sends what waits, then closes.
    func linger()
    /// Breaks off: the client sees that something is missing.
    func close()
}
