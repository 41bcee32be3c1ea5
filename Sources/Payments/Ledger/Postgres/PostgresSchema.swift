/// The tables of a ledger in PostgreSQL, version by version.
///
/// Amounts and counts are unsigned 64-bit numbers in `numeric(20)`, times microseconds since 1970. They stand in a schema of
/// their own, which the connection's search path names.
enum PostgresSchema {
    /// What replicas that start together wait for; "Farebox" as a number.
    static let advisoryLock: Int64 = 0x0046_6172_6562_6f78

    /// What makes version n + 1 of version n.
    static let migrations = [
        """
        CREATE TABLE head (
            id integer PRIMARY KEY CHECK (id = 1), sequence numeric(20) NOT NULL, hash bytea NOT NULL,
            revision numeric(20) NOT NULL, connections numeric(20) NOT NULL);
        INSERT INTO head VALUES (1, 0, decode(repeat('00', 32), 'hex'), 0, 0);

        CREATE TABLE entry (
            sequence numeric(20) PRIMARY KEY, time bigint NOT NULL, kind text NOT NULL, debit text NOT NULL,
            credit text NOT NULL, asset_code text NOT NULL, asset_scale smallint NOT NULL,
            amount numeric(20) NOT NULL CHECK (amount >= 0), calls numeric(20) NOT NULL, rail text NOT NULL,
            key bytea NOT NULL, total numeric(20) NOT NULL, lease text NOT NULL, hash bytea NOT NULL);
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $body$
            BEGIN RAISE EXCEPTION 'entries of the ledger are never changed or deleted'; END $body$;
        CREATE TRIGGER entry_change BEFORE UPDATE OR DELETE OR TRUNCATE ON entry
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

        CREATE TABLE account (
            name text COLLATE "C" NOT NULL, asset_code text COLLATE "C" NOT NULL, asset_scale smallint NOT NULL,
            price_amount numeric(20), price_calls numeric(20), epoch numeric(20) NOT NULL,
            balance numeric(20) NOT NULL CHECK (balance >= 0), prepaid numeric(20) NOT NULL,
            unpaid_calls numeric(20) NOT NULL, sold_calls numeric(20) NOT NULL, leased_calls numeric(20) NOT NULL,
            older_calls numeric(20) NOT NULL, older_uncovered numeric(20) NOT NULL, older_held numeric(20) NOT NULL,
            older_prepaid numeric(20) NOT NULL, older_amount numeric(20), older_per numeric(20),
            PRIMARY KEY (name, asset_code, asset_scale));

        CREATE TABLE claim (
            rail text COLLATE "C" NOT NULL, key bytea NOT NULL, total numeric(20) NOT NULL, account text,
            asset_code text NOT NULL, asset_scale smallint NOT NULL, is_credited boolean NOT NULL,
            endpoint text NOT NULL, changed_at bigint NOT NULL, revision numeric(20) NOT NULL,
            PRIMARY KEY (rail, key));
        CREATE INDEX claim_revision ON claim (revision);

        CREATE TABLE connection (
            nonce bytea PRIMARY KEY, account text, identifier text, endpoint text NOT NULL,
            credits_host boolean NOT NULL, asset_code text NOT NULL, asset_scale smallint NOT NULL,
            expires_at bigint NOT NULL, seed text NOT NULL);
        CREATE INDEX connection_expiry ON connection (expires_at);

        CREATE TABLE lease (
            id text COLLATE "C" PRIMARY KEY, account text NOT NULL, asset_code text NOT NULL,
            asset_scale smallint NOT NULL, holder text NOT NULL, calls numeric(20) NOT NULL,
            price_amount numeric(20) NOT NULL, price_calls numeric(20) NOT NULL, epoch numeric(20) NOT NULL,
            expires_at bigint NOT NULL, state text NOT NULL, spent numeric(20) NOT NULL, successor text NOT NULL);
        CREATE INDEX lease_expiry ON lease (state, expires_at);

        CREATE TABLE seed (
            position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, bytes bytea NOT NULL UNIQUE,
            created_at bigint NOT NULL);
        """
    ]
}
