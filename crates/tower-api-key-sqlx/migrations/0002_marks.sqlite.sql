-- A random number for each change, and the one of the change before it. With them a reader that follows the trail
-- notices that the database was restored, lost its latest changes, or lost rows of the trail. Programs of the
-- first step leave both NULL.
ALTER TABLE {changes} ADD COLUMN mark BIGINT;
ALTER TABLE {changes} ADD COLUMN previous BIGINT;
