public import HTTP

/// Hands the log of a build that ended to the builder, which keeps it.
public struct LogClient: Sendable {
    private let client: HTTPClient
    private let address: LogAddress
    private let token: String
    private let timeout: Duration

    /// Makes a client.
    ///
    /// - Parameters:
    ///   - client: Sends the requests; the builder is in the cluster, so it must allow private addresses.
    ///   - address: Of the log API inside the cluster.
    ///   - tokens: Of the key that is shared with the builder.
    ///   - timeout: For one log.
    public init(client: HTTPClient, address: LogAddress, tokens: LogTokens, timeout: Duration = .seconds(60)) {
        self.client = client
        self.address = address
        token = tokens.write
        self.timeout = timeout
    }

    /// Stores a log.
    ///
    /// - Throws: ``LogStoreError``; `CancellationError`.
    public func store(_ log: LogKey, _ bytes: [UInt8]) async throws {
        let headers = HTTPHeaders([
            ("Authorization", "Bearer " + token), ("Content-Type", "text/plain; charset=utf-8"),
        ])
        let answer: HTTPClientResponse
        do {
            answer = try await client.send(
                HTTPClientRequest(
                    .put, url: address.url(of: log), headers: headers, body: .bytes(bytes), timeout: timeout,
                    responseBytesMaximum: 64 << 10))
        } catch let error as HTTPClientError {
            throw LogStoreError("the builder cannot be reached at logs.url: \(error)")
        }
        guard answer.status.isSuccess else {
            throw LogStoreError("the builder answered \(answer.status.code) to a log")
        }
    }
}
