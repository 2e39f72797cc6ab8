-- Why a change was made, and the fields that it changed as JSON: a list of [field, before, after].
ALTER TABLE {changes} ADD COLUMN reason TEXT;
ALTER TABLE {changes} ADD COLUMN differences TEXT;

-- Changes that clients may send again. The fingerprint is a digest of the change's content.
CREATE TABLE {requests} (
    author TEXT NOT NULL,
    name TEXT NOT NULL,
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
    at BIGINT NOT NULL,
    PRIMARY KEY (author, name)
) WITHOUT ROWID;
CREATE INDEX "{prefix}requests_by_age" ON {requests} (at);
