-- Change data capture: what is published, a heartbeat that keeps an idle slot moving, and the
-- rows that the sink could not take.

CREATE TABLE cdc_heartbeat (
  id integer PRIMARY KEY,
  at timestamptz NOT NULL
);

CREATE TABLE cdc_dead_letters (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at         timestamptz NOT NULL DEFAULT now(),
  source     text NOT NULL,
  -- LSN, or topic/partition/offset
  position   text NOT NULL,
  table_name text NOT NULL,
  operation  text NOT NULL,
  row        jsonb NOT NULL,
  error      text NOT NULL,
  -- a replay meets the same row again
  UNIQUE (source, position, table_name)
);

-- A slot begins where it is made; what was there before is copied once. A copy that did not end is
-- done again.
CREATE TABLE cdc_backfills (
  slot         text PRIMARY KEY,
  started_at   timestamptz NOT NULL,
  completed_at timestamptz
);

CREATE PUBLICATION assay_cdc FOR TABLE events, assignments, cdc_heartbeat
  WITH (publish = 'insert,update,delete', publish_via_partition_root = true);
