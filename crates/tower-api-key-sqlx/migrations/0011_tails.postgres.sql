-- The last characters of a secret, by which people tell keys apart. Programs of earlier steps leave them NULL.
ALTER TABLE {secrets} ADD COLUMN tail TEXT;
CREATE INDEX "{prefix}secrets_by_tail" ON {secrets} (tail, key_id) WHERE tail IS NOT NULL;
