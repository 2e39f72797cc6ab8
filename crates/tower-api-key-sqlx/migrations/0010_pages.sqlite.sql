-- The indexes of lists have what a list checks and sorts by, so that it reads no row of a key that it leaves out. The last
-- columns find nothing.
DROP INDEX IF EXISTS "{prefix}keys_of_account";
CREATE INDEX "{prefix}keys_of_account" ON {keys}
    (account, id, owner, kind, environment, name, expires, disabled, revoked);
DROP INDEX IF EXISTS "{prefix}keys_of_owner";
CREATE INDEX "{prefix}keys_of_owner" ON {keys}
    (owner, id, account, kind, environment, name, expires, disabled, revoked)
    WHERE owner IS NOT NULL;
DROP INDEX IF EXISTS "{prefix}keys_by_name";
CREATE INDEX "{prefix}keys_by_name" ON {keys}
    (name, id, account, owner, expires);
DROP INDEX IF EXISTS "{prefix}keys_by_expiry";
CREATE INDEX "{prefix}keys_by_expiry" ON {keys}
    (expires, id, account, owner, name)
    WHERE expires IS NOT NULL;

DROP INDEX IF EXISTS "{prefix}live_keys_by_id";
CREATE INDEX "{prefix}live_keys_by_id" ON {keys}
    (environment, kind, id, account, owner, name, expires, disabled, revoked)
    WHERE revoked = 0 AND disabled = 0;
DROP INDEX IF EXISTS "{prefix}live_keys_by_name";
CREATE INDEX "{prefix}live_keys_by_name" ON {keys}
    (environment, kind, name, id, account, owner, expires, disabled, revoked)
    WHERE revoked = 0 AND disabled = 0;
DROP INDEX IF EXISTS "{prefix}live_keys_by_expiry";
CREATE INDEX "{prefix}live_keys_by_expiry" ON {keys}
    (environment, kind, expires, id, account, owner, name, disabled, revoked)
    WHERE revoked = 0 AND disabled = 0;

DROP INDEX IF EXISTS "{prefix}off_keys_by_id";
CREATE INDEX "{prefix}off_keys_by_id" ON {keys}
    (environment, kind, id, account, owner, name, expires, disabled, revoked)
    WHERE revoked = 0 AND disabled <> 0;
DROP INDEX IF EXISTS "{prefix}off_keys_by_name";
CREATE INDEX "{prefix}off_keys_by_name" ON {keys}
    (environment, kind, name, id, account, owner, expires, disabled, revoked)
    WHERE revoked = 0 AND disabled <> 0;
DROP INDEX IF EXISTS "{prefix}off_keys_by_expiry";
CREATE INDEX "{prefix}off_keys_by_expiry" ON {keys}
    (environment, kind, expires, id, account, owner, name, disabled, revoked)
    WHERE revoked = 0 AND disabled <> 0;

DROP INDEX IF EXISTS "{prefix}revoked_keys_by_id";
CREATE INDEX "{prefix}revoked_keys_by_id" ON {keys}
    (environment, kind, id, account, owner, name, expires, disabled, revoked)
    WHERE revoked <> 0;
DROP INDEX IF EXISTS "{prefix}revoked_keys_by_name";
CREATE INDEX "{prefix}revoked_keys_by_name" ON {keys}
    (environment, kind, name, id, account, owner, expires, disabled, revoked)
    WHERE revoked <> 0;
DROP INDEX IF EXISTS "{prefix}revoked_keys_by_expiry";
CREATE INDEX "{prefix}revoked_keys_by_expiry" ON {keys}
    (environment, kind, expires, id, account, owner, name, disabled, revoked)
    WHERE revoked <> 0;

-- Active keys in the order of ids, by the 90 days in which they expire. A list does not read what expired earlier.
CREATE INDEX "{prefix}live_keys_by_period" ON {keys}
    (COALESCE(expires / 7776000000000000, -1), id, account, owner, name, expires, disabled, revoked)
    WHERE revoked = 0 AND disabled = 0;
