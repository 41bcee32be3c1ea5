/// Answers requests.
public protocol HTTPHandler: Sendable {
    /// Answers one request.
    ///
    /// Runs on the connection's event loop until it first awaits something that lives elsewhere: it must never block.
    /// The task is cancelled when the client leaves.
    func handle(_ request: HTTPRequest) async -> HTTPResponse
}

/// A handler made of a closure.
public struct HTTPClosureHandler: HTTPHandler {
    private let closure: @Sendable (HTTPRequest) async -> HTTPResponse

    /// Wraps `closure`.
    public init(_ closure: @escaping @Sendable (HTTPRequest) async -> HTTPResponse) {
        self.closure = closure
    }

    /// Calls the closure.
    public func handle(_ request: HTTPRequest) async -> HTTPResponse {
        await closure(request)
    }
}
