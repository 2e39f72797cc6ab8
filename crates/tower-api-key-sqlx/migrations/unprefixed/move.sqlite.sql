-- Gives the tables of the first release their own names. SQLite lets references follow.
ALTER TABLE accounts RENAME TO {accounts};
ALTER TABLE keys RENAME TO {keys};
ALTER TABLE secrets RENAME TO {secrets};
ALTER TABLE changes RENAME TO {changes};
ALTER TABLE {keys} ADD COLUMN audience TEXT;
ALTER TABLE {keys} ADD COLUMN form TEXT;
