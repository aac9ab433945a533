-- Change data capture: what is published, a heartbeat that keeps an idle slot moving, and the
-- rows that the sink could not take.

CREATE TABLE cdc_heartbeat (
  id integer PRIMARY KEY,
  at timestamptz NOT NULL
);

CREATE TABLE cdc_dead_letters (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at          timestamptz NOT NULL DEFAULT now(),
  source      text NOT NULL,
  -- LSN, or topic/partition/offset
  position    text NOT NULL,
  table_name  text NOT NULL,
  operation   text NOT NULL,
  row         jsonb NOT NULL,
  error       text NOT NULL,
  -- SHA-256 of the change and where it came from: a replay meets the same one again
  fingerprint bytea NOT NULL UNIQUE
);

-- A slot begins where it is made; what was there before is copied once. A copy that did not end
-- goes on where it was.
CREATE TABLE cdc_backfills (
  slot         text PRIMARY KEY,
  started_at   timestamptz NOT NULL,
  -- {"relation": …, "after": [key of the last row copied]}; null at the beginning and at the end
  place        jsonb,
  completed_at timestamptz
);

CREATE PUBLICATION assay_cdc FOR TABLE events, assignments, cdc_heartbeat
  WITH (publish = 'insert,update,delete', publish_via_partition_root = true);
