-- What users did: assignments, events, and what was refused. All of it insert-only but for
-- assigned_at, which an earlier exposure may move back.

CREATE TABLE assignments (
  experiment_id integer NOT NULL,
  user_id       text NOT NULL CHECK (octet_length(user_id) BETWEEN 1 AND 256),
  -- no foreign key: a variant of a started experiment is never deleted, and the check would cost
  -- a lookup and a row lock for every new user
  variant_id    integer NOT NULL,
  version       integer NOT NULL,
  source        text NOT NULL CHECK (source IN ('hash', 'reported', 'forced')),
  bucket        integer NOT NULL,
  assigned_at   timestamptz NOT NULL,
  context       jsonb NOT NULL DEFAULT '{}' CHECK (pg_column_size(context) <= 4096),
  PRIMARY KEY (experiment_id, user_id)
);
-- Kept in line, so that an update of assigned_at always carries the context through CDC instead
-- of pgoutput's marker for an unchanged out-of-line value.
ALTER TABLE assignments ALTER COLUMN context SET STORAGE PLAIN;

-- A user reported with another variant than the stored one.
CREATE TABLE assignment_conflicts (
  experiment_id       integer NOT NULL,
  user_id             text NOT NULL,
  reported_variant_id integer NOT NULL,
  stored_variant_id   integer,
  reason              text NOT NULL,
  first_seen_at       timestamptz NOT NULL,
  PRIMARY KEY (experiment_id, user_id, reported_variant_id)
);

CREATE TABLE events (
  event_id      uuid NOT NULL,
  ts            timestamptz NOT NULL,
  user_id       text NOT NULL CHECK (octet_length(user_id) BETWEEN 1 AND 256),
  type          text NOT NULL,
  value         double precision,
  properties    jsonb NOT NULL DEFAULT '{}',
  -- set only when the event counts in this experiment alone
  experiment_id integer,
  received_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (event_id, ts)
) PARTITION BY RANGE (ts);

CREATE TABLE quarantine (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  received_at   timestamptz NOT NULL DEFAULT now(),
  kind          text NOT NULL CHECK (kind IN ('event', 'exposure')),
  code          text NOT NULL,
  message       text NOT NULL,
  experiment    text,
  -- the item as JSON text: it may hold what jsonb refuses, such as \u0000
  payload       text NOT NULL,
  -- SHA-256 of code and payload: a resent item is one row
  fingerprint   bytea NOT NULL UNIQUE
);
CREATE INDEX quarantine_experiment ON quarantine (experiment) WHERE experiment IS NOT NULL;
