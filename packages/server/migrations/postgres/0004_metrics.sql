-- The metric catalogue: what each metric means now, and every version of it, which never changes
-- since stored results refer to it.

CREATE TABLE metrics (
  id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  key         text NOT NULL UNIQUE CHECK (key ~ '^[a-z][a-z0-9_-]{0,62}$'),
  version     integer NOT NULL DEFAULT 1,
  -- as the contract's MetricDefinition
  definition  jsonb NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT now(),
  updated_at  timestamptz NOT NULL DEFAULT now(),
  -- a deleted metric keeps its row: a new one with its key goes on counting its versions
  deleted_at  timestamptz
);

CREATE TABLE metric_versions (
  metric_id   integer NOT NULL REFERENCES metrics (id),
  version     integer NOT NULL,
  definition  jsonb NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (metric_id, version)
);
