public import Timing

/// Keeps the logs of builds that ended.
///
/// All methods may be called at the same time; a log appears whole or not at all.
public protocol LogStore: Sendable {
    /// Stores a log in place of an older one of this key.
    ///
    /// - Throws: ``LogStoreError``; `CancellationError`.
    func put(_ key: LogKey, _ bytes: [UInt8]) async throws

    /// The log of a key; nil when there is none.
    ///
    /// - Throws: ``LogStoreError``; `CancellationError`.
    func get(_ key: LogKey) async throws -> [UInt8]?

    /// What is stored below a prefix, or everything.
    ///
    /// - Throws: ``LogStoreError``; `CancellationError`.
    func list(_ prefix: LogPrefix?) async throws -> [StoredLog]

    /// Deletes logs that ``list(_:)`` told of; one that is gone already is no error.
    ///
    /// - Throws: ``LogStoreError``; `CancellationError`.
    func delete(_ logs: [StoredLog]) async throws
}

/// One log as a store lists it.
public struct StoredLog: Sendable, Hashable {
    /// The path of its ``LogKey``.
    public let path: String
    /// Its size.
    public let sizeBytes: Int
    /// When it was stored.
    public let storedAt: Timestamp

    /// Makes an entry.
    public init(path: String, sizeBytes: Int, storedAt: Timestamp) {
        self.path = path
        self.sizeBytes = sizeBytes
        self.storedAt = storedAt
    }
}

/// Why a store could not do something; never holds a secret.
public struct LogStoreError: Error, Hashable, CustomStringConvertible {
    /// What happened and, where anybody can do something, what.
    public let description: String

    /// Makes an error.
    public init(_ description: String) { self.description = description }
}

/// For how long logs are kept, and how much of them.
public struct LogRetention: Sendable, Hashable {
    /// Older ones go.
    public var age: Duration
    /// Above this the oldest go.
    public var totalBytesMaximum: Int

    /// Makes a rule.
    public init(age: Duration, totalBytesMaximum: Int) {
        self.age = age
        self.totalBytesMaximum = totalBytesMaximum
    }

    /// Chooses what has to go.
    public func expired(among logs: [StoredLog], now: Timestamp) -> [StoredLog] {
        var total = logs.reduce(0) { $0.addingReportingOverflow($1.sizeBytes).partialValue }
        return logs.sorted { ($0.storedAt, $0.path) < ($1.storedAt, $1.path) }.filter { log in
            guard now - log.storedAt >= age || total > totalBytesMaximum else { return false }
            total -= log.sizeBytes
            return true
        }
    }
}

extension LogStore {
    /// Deletes everything below a prefix.
    ///
    /// - Returns: How many logs went.
    /// - Throws: ``LogStoreError``; `CancellationError`.
    @discardableResult
    public func delete(_ prefix: LogPrefix) async throws -> Int {
        let logs = try await list(prefix)
        try await delete(logs)
        return logs.count
    }

    /// Deletes what the rule does not keep.
    ///
    /// - Returns: How many logs went, and how many bytes are left.
    /// - Throws: ``LogStoreError``; `CancellationError`.
    @discardableResult
    public func sweep(_ retention: LogRetention, now: Timestamp = .now) async throws -> (removed: Int, usedBytes: Int) {
        let logs = try await list(nil)
        let expired = retention.expired(among: logs, now: now)
        try await delete(expired)
        let used = logs.reduce(0) { $0 + $1.sizeBytes } - expired.reduce(0) { $0 + $1.sizeBytes }
        return (expired.count, used)
    }
}
