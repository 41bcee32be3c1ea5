import HTTP

/// The body of a streamed answer.
final class ResponseStream: ByteStream {
    private let stream: HTTPClientStream
    private let request: String
    private let onSilence: @Sendable () -> Void

    /// Wraps a stream.
    ///
    /// - Parameters:
    ///   - stream: The answer.
    ///   - request: What it answers, for error messages.
    ///   - onSilence: Called when nothing came for too long.
    init(_ stream: HTTPClientStream, _ request: String, onSilence: @escaping @Sendable () -> Void) {
        self.stream = stream
        self.request = request
        self.onSilence = onSilence
    }

    func next() async throws -> [UInt8]? {
        do {
            return try await stream.next()
        } catch let error as HTTPClientError {
            if case .timedOut = error { onSilence() }
            throw KubernetesError.transport(error, during: request)
        }
    }

    func cancel() { stream.cancel() }
}
