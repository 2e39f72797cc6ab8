-- Requests by key, route pattern, decision and hour. An hour is the number of hours since 1970; one that was rolled up
-- is the first of its day. An empty key stands for requests without one.
CREATE TABLE {usage} (
    hour BIGINT NOT NULL,
    key_id TEXT NOT NULL,
    route TEXT NOT NULL,
    decision TEXT NOT NULL,
    account TEXT NOT NULL,
    requests BIGINT NOT NULL,
    PRIMARY KEY (hour, key_id, route, decision)
) WITHOUT ROWID;

-- The same by account. The empty account has the sums of all requests.
CREATE TABLE {usage_accounts} (
    hour BIGINT NOT NULL,
    account TEXT NOT NULL,
    route TEXT NOT NULL,
    decision TEXT NOT NULL,
    requests BIGINT NOT NULL,
    PRIMARY KEY (hour, account, route, decision)
) WITHOUT ROWID;

-- The same by key and month, for the busiest keys. A month is its first hour.
CREATE TABLE {usage_months} (
    month BIGINT NOT NULL,
    key_id TEXT NOT NULL,
    account TEXT NOT NULL,
    admitted BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    PRIMARY KEY (month, key_id)
) WITHOUT ROWID;
CREATE INDEX "{prefix}usage_months_of_account" ON {usage_months} (account, month);

-- The last use of each key, with the client's network.
CREATE TABLE {usage_keys} (
    key_id TEXT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    network TEXT
) WITHOUT ROWID;

-- The last batch of each process, so that none counts twice.
CREATE TABLE {usage_writers} (
    writer BLOB NOT NULL PRIMARY KEY CHECK (length(writer) = 16),
    batch BIGINT NOT NULL,
    at BIGINT NOT NULL
) WITHOUT ROWID;
