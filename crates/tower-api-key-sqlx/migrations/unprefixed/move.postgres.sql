-- Gives the tables of the first release their own names: an application may want those for its own.
ALTER TABLE {old}accounts RENAME TO "{prefix}accounts";
ALTER TABLE {old}keys RENAME TO "{prefix}keys";
ALTER TABLE {old}secrets RENAME TO "{prefix}secrets";
ALTER TABLE {old}changes RENAME TO "{prefix}changes";
ALTER TABLE {old}"{prefix}keys" ADD COLUMN audience TEXT;
ALTER TABLE {old}"{prefix}keys" ADD COLUMN form TEXT;
