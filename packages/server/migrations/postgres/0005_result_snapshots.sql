-- Stored results: what was answered, and everything that it was computed from.

CREATE TABLE result_snapshots (
  id             integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  experiment_id  integer NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
  name           text NOT NULL,
  created_at     timestamptz NOT NULL DEFAULT now(),
  created_by     text NOT NULL,
  engine_version text NOT NULL,
  source         text NOT NULL CHECK (source IN ('postgresql', 'clickhouse')),
  -- null when ClickHouse had not said yet how far it was
  as_of          timestamptz,
  -- JSON as text: jsonb would order the fields and write the numbers its own way
  bundle         text NOT NULL,
  result         text NOT NULL,
  -- SHA-256 in hex of the texts in UTF-8
  bundle_sha256  text NOT NULL,
  result_sha256  text NOT NULL
);
CREATE INDEX result_snapshots_of_experiment ON result_snapshots (experiment_id, id);
