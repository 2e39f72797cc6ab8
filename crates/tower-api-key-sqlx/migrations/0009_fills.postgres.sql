-- Keys of one environment, kind and status, in each order of a list. A list of several of these is a union.
CREATE INDEX "{prefix}live_keys_by_id" ON {keys} (environment, kind, id) INCLUDE (expires, account)
    WHERE revoked = 0 AND disabled = 0;
CREATE INDEX "{prefix}live_keys_by_name" ON {keys} (environment, kind, name COLLATE "C", id)
    WHERE revoked = 0 AND disabled = 0;
CREATE INDEX "{prefix}live_keys_by_expiry" ON {keys} (environment, kind, expires, id) INCLUDE (account)
    WHERE revoked = 0 AND disabled = 0;
CREATE INDEX "{prefix}off_keys_by_id" ON {keys} (environment, kind, id)
    WHERE revoked = 0 AND disabled <> 0;
CREATE INDEX "{prefix}off_keys_by_name" ON {keys} (environment, kind, name COLLATE "C", id)
    WHERE revoked = 0 AND disabled <> 0;
CREATE INDEX "{prefix}off_keys_by_expiry" ON {keys} (environment, kind, expires, id)
    WHERE revoked = 0 AND disabled <> 0;
CREATE INDEX "{prefix}revoked_keys_by_id" ON {keys} (environment, kind, id)
    WHERE revoked <> 0;
CREATE INDEX "{prefix}revoked_keys_by_name" ON {keys} (environment, kind, name COLLATE "C", id)
    WHERE revoked <> 0;
CREATE INDEX "{prefix}revoked_keys_by_expiry" ON {keys} (environment, kind, expires, id)
    WHERE revoked <> 0;

-- How far something was filled in that programs of earlier steps do not write. The key is the last one that was looked at;
-- NULL once all were. Later changes are followed by their numbers in the trail.
CREATE TABLE {fills} (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    key_id TEXT COLLATE "C",
    sequence BIGINT NOT NULL
);
INSERT INTO {fills} (name, key_id, sequence) SELECT 'tags', (SELECT '' FROM {keys} LIMIT 1), COALESCE(MAX(sequence), 0) FROM {changes};
