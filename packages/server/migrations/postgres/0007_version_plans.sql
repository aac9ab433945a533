-- What each version of a started experiment was going to decide by, so that results can tell when
-- that was changed while they could be seen. Null for versions that are older than this column.
ALTER TABLE experiment_versions ADD COLUMN plan jsonb;
