/// The Kubernetes API as the rest of Farebox sees it.
///
/// Two primitives carry everything; the verbs (`get`, `list`, `apply`, `watch`…) are extensions over them. ``Client``
/// is the real one. Both throw ``KubernetesError``, and `CancellationError` when the calling task was cancelled.
public protocol KubernetesAPI: Sendable {
    /// Sends a request and returns the body of the successful answer.
    ///
    /// - Throws: ``KubernetesError``; `.api` for every answer outside 200–299.
    func send(_ request: APIRequest) async throws -> [UInt8]

    /// Sends a request whose answer is read piece by piece; returns when the head of the answer is there.
    ///
    /// - Throws: ``KubernetesError``; `.api` for every answer outside 200–299.
    func open(_ request: APIRequest) async throws -> any ByteStream
}

/// Bytes that arrive over time; one task reads them.
public protocol ByteStream: Sendable {
    /// Returns the next piece, never empty, or `nil` at the regular end.
    ///
    /// Reading slowly slows the sender down; nothing is lost.
    ///
    /// - Throws: ``KubernetesError/transport(_:during:)`` when the stream breaks or is silent for too long;
    ///   `CancellationError` when the task is cancelled.
    func next() async throws -> [UInt8]?

    /// Ends the stream now; a waiting ``next()`` throws.
    func cancel()
}
