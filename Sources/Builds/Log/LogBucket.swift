import Cryptography
public import HTTP
import KubernetesTypes
import Timing

/// Logs in a bucket of S3, or of anything that speaks its protocol.
///
/// Requests name the bucket in the path, which every such server understands, and are signed by AWS Signature Version 4.
/// Source: Amazon S3 API reference; PutObject, GetObject, ListObjectsV2, DeleteObject.
public struct LogBucket: LogStore {
    /// Where the bucket is.
    public struct Location: Sendable, Hashable {
        /// Such as `https://s3.eu-central-1.amazonaws.com`, without a path.
        public var endpoint: String
        /// The bucket's name.
        public var bucket: String
        /// Such as `eu-central-1`; servers without regions take any.
        public var region: String
        /// What each key begins with, such as `farebox/`; may be empty.
        public var prefix: String

        /// Makes a location.
        public init(endpoint: String, bucket: String, region: String, prefix: String = "") {
            self.endpoint = endpoint
            self.bucket = bucket
            self.region = region
            self.prefix = prefix
        }
    }

    /// The two halves of an access key.
    public struct Credentials: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
        /// The name of the key.
        public var accessKeyID: String
        /// The key.
        public var secretAccessKey: String

        /// Makes credentials.
        public init(accessKeyID: String, secretAccessKey: String) {
            self.accessKeyID = accessKeyID
            self.secretAccessKey = secretAccessKey
        }

        /// Whose key, never the key.
        public var description: String { "(access key \(accessKeyID))" }
        /// Whose key, never the key.
        public var customMirror: Mirror { Mirror(self, children: ["summary": description]) }
    }

    private let client: HTTPClient
    private let location: Location
    private let credentials: @Sendable () -> Credentials?
    private let bytesMaximum: Int
    private let pageSize: Int

    private static let timeout = Duration.seconds(60)
    /// So many entries are listed at most: 10 million, far above what retention leaves.
    private static let pagesMaximum = 10_000

    /// Makes a store.
    ///
    /// - Parameters:
    ///   - credentials: Asked for each time, so that new ones count at once; nil when there are none now.
    ///   - bytesMaximum: A longer log is refused.
    public init(
        client: HTTPClient, location: Location, bytesMaximum: Int, credentials: @escaping @Sendable () -> Credentials?
    ) {
        self.init(
            client: client, location: location, bytesMaximum: bytesMaximum, pageSize: 1000, credentials: credentials)
    }

    init(
        client: HTTPClient, location: Location, bytesMaximum: Int, pageSize: Int,
        credentials: @escaping @Sendable () -> Credentials?
    ) {
        self.client = client
        self.location = location
        self.bytesMaximum = bytesMaximum
        self.pageSize = pageSize
        self.credentials = credentials
    }

    /// Stores a log.
    public func put(_ key: LogKey, _ bytes: [UInt8]) async throws {
        guard bytes.count <= bytesMaximum else {
            throw LogStoreError("a log may have \(bytesMaximum) bytes at most, this one has \(bytes.count)")
        }
        let answer = try await send(
            .put, object: location.prefix + key.path, body: bytes,
            headers: [("Content-Type", "text/plain; charset=utf-8")])
        guard answer.status.isSuccess else { throw refusal("storing a log", answer) }
    }

    /// Reads a log.
    public func get(_ key: LogKey) async throws -> [UInt8]? {
        let answer = try await send(.get, object: location.prefix + key.path, answerBytesMaximum: bytesMaximum)
        // A bucket that is not there is an error, a log that is not there is none.
        if answer.status == .notFound, S3Listing.errorCode(xml: answer.body) != "NoSuchBucket" { return nil }
        guard answer.status == .ok else { throw refusal("reading a log", answer) }
        return answer.body
    }

    /// Lists the bucket, page by page.
    public func list(_ prefix: LogPrefix?) async throws -> [StoredLog] {
        var logs: [StoredLog] = []
        var token: String?
        for _ in 0..<Self.pagesMaximum {
            // Sorted by name, as the signature wants them.
            var query: [(String, String)] = []
            if let token { query.append(("continuation-token", token)) }
            query += [
                ("list-type", "2"), ("max-keys", String(pageSize)), ("prefix", location.prefix + (prefix?.path ?? "")),
            ]
            let answer = try await send(.get, object: nil, query: query, answerBytesMaximum: S3Listing.bytesMaximum)
            guard answer.status == .ok else { throw refusal("listing the bucket", answer) }
            let page = try S3Listing(xml: answer.body)
            for entry in page.entries
            where entry.key.hasPrefix(location.prefix) && entry.key.hasSuffix("/" + LogKey.fileName) {
                logs.append(
                    StoredLog(
                        path: String(entry.key.dropFirst(location.prefix.count)), sizeBytes: entry.sizeBytes,
                        storedAt: entry.modifiedAt))
            }
            guard page.isTruncated else { return logs }
            guard let next = page.continuationToken, !next.isEmpty, next != token else {
                throw LogStoreError("the object store says that there is more, but not where")
            }
            token = next
        }
        return logs
    }

    /// Deletes objects, one after the other.
    public func delete(_ logs: [StoredLog]) async throws {
        for log in logs {
            let answer = try await send(.delete, object: location.prefix + log.path)
            guard answer.status.isSuccess || answer.status == .notFound else { throw refusal("deleting a log", answer) }
        }
    }

    // MARK: - Requests

    private func send(
        _ method: HTTPMethod, object: String?, query: [(String, String)] = [], body: [UInt8]? = nil,
        headers: [(String, String)] = [], answerBytesMaximum: Int = 64 << 10
    ) async throws -> HTTPClientResponse {
        guard let credentials = credentials(),
            let signature = AWSSignature(
                accessKeyID: credentials.accessKeyID, secretAccessKey: credentials.secretAccessKey,
                region: location.region, service: "s3")
        else { throw LogStoreError("the object store's credentials cannot be read; see logs.s3.credentialsFolder") }
        var url = location.endpoint + "/" + PercentEncoding.encode(location.bucket)
        if let object {
            url += "/" + object.split(separator: "/").map { PercentEncoding.encode($0) }.joined(separator: "/")
        }
        if !query.isEmpty {
            url += "?" + query.map { $0.0 + "=" + PercentEncoding.encode($0.1) }.joined(separator: "&")
        }
        var fields = HTTPHeaders(headers)
        fields.set("x-amz-content-sha256", SHA256.hash(of: body ?? []).hex)
        do {
            return try await client.send(
                HTTPClientRequest(
                    method, url: url, headers: fields, body: body.map { .bytes($0) } ?? .none, timeout: Self.timeout,
                    responseBytesMaximum: answerBytesMaximum, signature: signature))
        } catch let error as HTTPClientError {
            throw LogStoreError("the object store cannot be used: \(error)")
        }
    }

    private func refusal(_ what: String, _ answer: HTTPClientResponse) -> LogStoreError {
        let code = S3Listing.errorCode(xml: answer.body).map { " \($0)" } ?? ""
        return LogStoreError("\(what): the object store answered \(answer.status.code)\(code)")
    }
}
