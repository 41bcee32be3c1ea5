extension StreamRecord {
    /// What a claim says of a stream; nil when it is of another rail.
    init?(_ key: ClaimKey, _ claim: StoredClaim) {
        guard key.rail == .stream, key.key.count == StreamConnection.nonceBytes + 1, let stream = key.key.last else {
            return nil
        }
        self.init(
            nonce: Array(key.key.dropLast()), stream: stream, total: claim.total,
            credited: claim.isCredited ? claim.total : 0, account: claim.account, asset: claim.asset,
            endpoint: claim.endpoint, changedAt: claim.changedAt, cursor: claim.revision)
    }
}
