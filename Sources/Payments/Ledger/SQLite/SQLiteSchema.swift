import Storage

/// The tables of a ledger in SQLite, version by version.
///
/// Amounts and counts are unsigned 64-bit numbers, stored with their 64 bits in SQLite's signed ones. Times are microseconds
/// since 1970.
enum SQLiteSchema {
    /// Marks our files, as `file(1)` and SQLite's `application_id` have it: "Fare".
    static let applicationID = 0x4661_7265

    /// All of it.
    static let tables = SQLiteFile.Schema(
        content: "ledger", alternative: "PostgreSQL", applicationID: applicationID, migrations: migrations)

    /// What makes version n + 1 of version n.
    static let migrations = [
        """
        CREATE TABLE head (
            id INTEGER PRIMARY KEY CHECK (id = 1), sequence INTEGER NOT NULL, hash BLOB NOT NULL,
            revision INTEGER NOT NULL, connections INTEGER NOT NULL) STRICT;
        INSERT INTO head VALUES (1, 0, zeroblob(32), 0, 0);

        CREATE TABLE entry (
            sequence INTEGER PRIMARY KEY, time INTEGER NOT NULL, kind TEXT NOT NULL, debit TEXT NOT NULL,
            credit TEXT NOT NULL, asset_code TEXT NOT NULL, asset_scale INTEGER NOT NULL, amount INTEGER NOT NULL,
            calls INTEGER NOT NULL, rail TEXT NOT NULL, key BLOB NOT NULL, total INTEGER NOT NULL,
            lease TEXT NOT NULL, hash BLOB NOT NULL) STRICT;
        CREATE TRIGGER entry_update BEFORE UPDATE ON entry
            BEGIN SELECT RAISE(ABORT, 'entries of the ledger are never changed'); END;
        CREATE TRIGGER entry_delete BEFORE DELETE ON entry
            BEGIN SELECT RAISE(ABORT, 'entries of the ledger are never deleted'); END;

        CREATE TABLE account (
            name TEXT NOT NULL, asset_code TEXT NOT NULL, asset_scale INTEGER NOT NULL, price_amount INTEGER,
            price_calls INTEGER, epoch INTEGER NOT NULL, balance INTEGER NOT NULL, prepaid INTEGER NOT NULL,
            unpaid_calls INTEGER NOT NULL, sold_calls INTEGER NOT NULL, leased_calls INTEGER NOT NULL,
            older_calls INTEGER NOT NULL, older_uncovered INTEGER NOT NULL, older_held INTEGER NOT NULL,
            older_prepaid INTEGER NOT NULL, older_amount INTEGER, older_per INTEGER, PRIMARY KEY (name, asset_code, asset_scale)) STRICT, WITHOUT ROWID;

        CREATE TABLE claim (
            rail TEXT NOT NULL, key BLOB NOT NULL, total INTEGER NOT NULL, account TEXT, asset_code TEXT NOT NULL,
            asset_scale INTEGER NOT NULL, is_credited INTEGER NOT NULL, endpoint TEXT NOT NULL,
            changed_at INTEGER NOT NULL, revision INTEGER NOT NULL, PRIMARY KEY (rail, key)) STRICT, WITHOUT ROWID;
        CREATE INDEX claim_revision ON claim (revision);

        CREATE TABLE connection (
            nonce BLOB PRIMARY KEY, account TEXT, identifier TEXT, endpoint TEXT NOT NULL,
            credits_host INTEGER NOT NULL, asset_code TEXT NOT NULL, asset_scale INTEGER NOT NULL,
            expires_at INTEGER NOT NULL, seed TEXT NOT NULL) STRICT, WITHOUT ROWID;
        CREATE INDEX connection_expiry ON connection (expires_at);

        CREATE TABLE lease (
            id TEXT PRIMARY KEY, account TEXT NOT NULL, asset_code TEXT NOT NULL, asset_scale INTEGER NOT NULL,
            holder TEXT NOT NULL, calls INTEGER NOT NULL, price_amount INTEGER NOT NULL,
            price_calls INTEGER NOT NULL, epoch INTEGER NOT NULL, expires_at INTEGER NOT NULL, state TEXT NOT NULL,
            spent INTEGER NOT NULL, successor TEXT NOT NULL) STRICT, WITHOUT ROWID;
        CREATE INDEX lease_expiry ON lease (state, expires_at);

        CREATE TABLE seed (
            position INTEGER PRIMARY KEY AUTOINCREMENT, bytes BLOB NOT NULL UNIQUE, created_at INTEGER NOT NULL) STRICT;
        """
    ]
}
