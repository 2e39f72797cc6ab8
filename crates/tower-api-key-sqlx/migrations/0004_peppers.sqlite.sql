-- The name of the pepper in a digest. A secret that got a digest by a newer pepper has two rows for a day: that of
-- its former digest names the newer one, and when it came. Programs of earlier steps leave all three NULL.
ALTER TABLE {secrets} ADD COLUMN pepper TEXT;
ALTER TABLE {secrets} ADD COLUMN successor BLOB;
ALTER TABLE {secrets} ADD COLUMN replaced BIGINT;
CREATE INDEX "{prefix}former_digests" ON {secrets} (replaced) WHERE replaced IS NOT NULL;
