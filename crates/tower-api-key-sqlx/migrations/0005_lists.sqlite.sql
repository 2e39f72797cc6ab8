-- The metadata of keys, one row for each name, so that keys can be listed by it. Programs of earlier steps do not write
-- it, so a list reads the metadata of each key, too.
CREATE TABLE {tags} (
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    key_id TEXT NOT NULL,
    PRIMARY KEY (name, value, key_id),
    FOREIGN KEY (key_id) REFERENCES {keys} (id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX "{prefix}tags_of_key" ON {tags} (key_id);
INSERT OR IGNORE INTO {tags} SELECT t.key, t.value, k.id FROM {keys} k, json_each(k.metadata) t
WHERE k.metadata <> '{}' AND json_valid(k.metadata) AND t.type = 'text';

-- One index for each filter and order of a list.
CREATE INDEX "{prefix}keys_of_owner" ON {keys} (owner, id) WHERE owner IS NOT NULL;
CREATE INDEX "{prefix}keys_of_kind" ON {keys} (kind, id) WHERE kind IS NOT NULL;
CREATE INDEX "{prefix}keys_of_environment" ON {keys} (environment, id) WHERE environment IS NOT NULL;
CREATE INDEX "{prefix}keys_by_name" ON {keys} (name, id);
CREATE INDEX "{prefix}keys_by_expiry" ON {keys} (expires, id) WHERE expires IS NOT NULL;
CREATE INDEX "{prefix}revoked_keys" ON {keys} (id) WHERE revoked <> 0;
CREATE INDEX "{prefix}disabled_keys" ON {keys} (id) WHERE disabled <> 0;
CREATE INDEX "{prefix}disabled_accounts" ON {accounts} (id) WHERE disabled <> 0;
CREATE INDEX "{prefix}changes_of_key" ON {changes} (key_id, sequence);
CREATE INDEX "{prefix}changes_of_account" ON {changes} (account, sequence);
