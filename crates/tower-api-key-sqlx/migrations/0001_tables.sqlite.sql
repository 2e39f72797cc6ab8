-- Accounts: what all keys of one customer share.
CREATE TABLE {accounts} (
    id TEXT NOT NULL PRIMARY KEY,
    disabled BIGINT NOT NULL,
    scopes TEXT NOT NULL,
    quotas TEXT,
    -- The plan that an account's quotas are looked up by, in the configuration of a gate.
    plan TEXT
) WITHOUT ROWID;

-- Keys. Lists and maps are JSON; instants are nanoseconds since 1970, and none means never.
CREATE TABLE {keys} (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL REFERENCES {accounts} (id) ON DELETE CASCADE,
    owner TEXT,
    kind TEXT,
    environment TEXT,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    scopes TEXT,
    networks TEXT NOT NULL,
    quotas TEXT,
    metadata TEXT NOT NULL,
    not_before BIGINT,
    expires BIGINT,
    disabled BIGINT NOT NULL,
    revoked BIGINT NOT NULL,
    created BIGINT NOT NULL,
    audience TEXT,
    form TEXT
) WITHOUT ROWID;
CREATE INDEX "{prefix}keys_of_account" ON {keys} (account, id);

-- Secrets, by the SHA-256 of their text: one of a key, or more while old ones still serve.
CREATE TABLE {secrets} (
    digest BLOB NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    key_id TEXT NOT NULL REFERENCES {keys} (id) ON DELETE CASCADE,
    created BIGINT NOT NULL,
    expires BIGINT,
    last_used BIGINT
) WITHOUT ROWID;
CREATE INDEX "{prefix}secrets_of_key" ON {secrets} (key_id);

-- The audit trail. It outlives what it speaks of.
CREATE TABLE {changes} (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    at BIGINT NOT NULL,
    author TEXT NOT NULL,
    action TEXT NOT NULL,
    key_id TEXT,
    account TEXT NOT NULL
);
