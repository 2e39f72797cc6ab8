-- The plan that an account's quotas are looked up by, in the configuration of a gate.
ALTER TABLE accounts ADD COLUMN plan TEXT;
