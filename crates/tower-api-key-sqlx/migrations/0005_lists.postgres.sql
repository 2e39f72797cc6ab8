-- The metadata of keys, one row for each name, so that keys can be listed by it. The trigger keeps it for every program
-- that writes keys.
CREATE TABLE {tags} (
    name TEXT COLLATE "C" NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    key_id TEXT COLLATE "C" NOT NULL
);
CREATE FUNCTION {tags}() RETURNS trigger LANGUAGE plpgsql AS $tags$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM {tags} WHERE key_id = OLD.id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        BEGIN
            INSERT INTO {tags} SELECT t.key, t.value, NEW.id FROM json_each_text(CAST(NEW.metadata AS json)) t;
        EXCEPTION WHEN invalid_text_representation OR invalid_parameter_value THEN
            -- A row that no program can read has no tags.
        END;
    END IF;
    RETURN NULL;
END
$tags$;
CREATE TRIGGER "{prefix}tags_added" AFTER INSERT ON {keys}
    FOR EACH ROW WHEN (NEW.metadata <> '{}') EXECUTE FUNCTION {tags}();
CREATE TRIGGER "{prefix}tags_changed" AFTER UPDATE OF metadata ON {keys}
    FOR EACH ROW WHEN (NEW.metadata <> OLD.metadata) EXECUTE FUNCTION {tags}();
CREATE TRIGGER "{prefix}tags_deleted" AFTER DELETE ON {keys}
    FOR EACH ROW WHEN (OLD.metadata <> '{}') EXECUTE FUNCTION {tags}();
UPDATE {keys} SET metadata = metadata || ' ' WHERE metadata <> '{}';
CREATE INDEX "{prefix}keys_by_tag" ON {tags} (name, value, key_id);
CREATE INDEX "{prefix}tags_of_key" ON {tags} (key_id);

-- One index for each filter and order of a list.
CREATE INDEX "{prefix}keys_of_owner" ON {keys} (owner, id) WHERE owner IS NOT NULL;
CREATE INDEX "{prefix}keys_of_kind" ON {keys} (kind, id) WHERE kind IS NOT NULL;
CREATE INDEX "{prefix}keys_of_environment" ON {keys} (environment, id) WHERE environment IS NOT NULL;
CREATE INDEX "{prefix}keys_by_name" ON {keys} (name COLLATE "C", id);
CREATE INDEX "{prefix}keys_by_expiry" ON {keys} (expires, id) WHERE expires IS NOT NULL;
CREATE INDEX "{prefix}revoked_keys" ON {keys} (id) WHERE revoked <> 0;
CREATE INDEX "{prefix}disabled_keys" ON {keys} (id) WHERE disabled <> 0;
CREATE INDEX "{prefix}disabled_accounts" ON {accounts} (id) WHERE disabled <> 0;
CREATE INDEX "{prefix}changes_of_key" ON {changes} (key_id, sequence);
CREATE INDEX "{prefix}changes_of_account" ON {changes} (account, sequence);
