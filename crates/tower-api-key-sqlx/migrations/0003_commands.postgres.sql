-- Why a change was made, and the fields that it changed as JSON: a list of [field, before, after].
ALTER TABLE {changes} ADD COLUMN reason TEXT, ADD COLUMN differences TEXT;

-- Changes that clients may send again. The fingerprint is a digest of the change's content.
CREATE TABLE {requests} (
    author TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    fingerprint BYTEA NOT NULL CHECK (length(fingerprint) = 32),
    at BIGINT NOT NULL,
    PRIMARY KEY (author, name)
);
CREATE INDEX "{prefix}requests_by_age" ON {requests} (at);
