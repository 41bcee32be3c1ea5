extension AsyncConfiguration {
    /// Makes the store that the configuration names; nothing is connected to yet.
    ///
    /// - Throws: When the system has no thread left, or a file that is named cannot be read.
    public func openStore() throws(CallStoreError) -> any CallStore {
        if let nats { return try NATSCallStore(nats, limits: limits) }
        return try SQLiteCallStore(path: sqlite ?? Self.sqliteDefault, limits: limits)
    }
}
