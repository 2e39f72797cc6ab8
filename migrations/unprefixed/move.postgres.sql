-- Gives the tables of the first release their own names, and their indexes, too: an application may
-- want those names for its own.
ALTER TABLE {old}accounts RENAME TO "{prefix}accounts";
ALTER TABLE {old}keys RENAME TO "{prefix}keys";
ALTER TABLE {old}secrets RENAME TO "{prefix}secrets";
ALTER TABLE {old}changes RENAME TO "{prefix}changes";
ALTER TABLE {old}"{prefix}keys" ADD COLUMN audience TEXT;
ALTER TABLE {old}"{prefix}keys" ADD COLUMN form TEXT;
ALTER INDEX {old}keys_of_account RENAME TO "{prefix}keys_of_account";
ALTER INDEX {old}secrets_of_key RENAME TO "{prefix}secrets_of_key";
ALTER INDEX {old}accounts_pkey RENAME TO "{prefix}accounts_pkey";
ALTER INDEX {old}keys_pkey RENAME TO "{prefix}keys_pkey";
ALTER INDEX {old}secrets_pkey RENAME TO "{prefix}secrets_pkey";
ALTER INDEX {old}changes_pkey RENAME TO "{prefix}changes_pkey";
ALTER SEQUENCE {old}changes_sequence_seq RENAME TO "{prefix}changes_sequence_seq";
