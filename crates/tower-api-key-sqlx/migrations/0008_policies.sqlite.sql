-- Rules for the keys of one subject: `all`, `account:ID` or `kind:NAME`. The rules are JSON. A program that does not know
-- a rule refuses to change the keys that it covers. A step that adds another form of subjects must forbid older programs.
CREATE TABLE {policies} (
    subject TEXT NOT NULL PRIMARY KEY,
    rules TEXT NOT NULL
) WITHOUT ROWID;

-- Since when uses of keys are recorded without a gap, as far as sweeps have seen. One row.
CREATE TABLE {recorded_uses} (
    id BIGINT NOT NULL PRIMARY KEY,
    since BIGINT NOT NULL,
    newest BIGINT NOT NULL
);

-- The lines of an account itself.
CREATE INDEX "{prefix}changes_of_accounts" ON {changes} (account, sequence) WHERE key_id IS NULL;
