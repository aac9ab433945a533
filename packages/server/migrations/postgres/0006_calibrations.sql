-- Calibrations: how often a method errs about an experiment's own users, when nothing differs. A
-- queue, and its results.

CREATE TABLE calibrations (
  id            integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  experiment_id integer NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
  status        text NOT NULL DEFAULT 'queued'
                CHECK (status IN ('queued', 'running', 'done', 'failed')),
  method        text NOT NULL,
  alpha         double precision NOT NULL,
  splits        integer NOT NULL,
  metrics       text[] NOT NULL,
  seed          text NOT NULL,
  -- the day (UTC) for which the worker began it by itself: one a day, however many workers
  automatic_on  date UNIQUE,
  -- a run that its worker did not end is begun anew, but not for ever; also tells a worker that
  -- lost its connection from the one that took over
  attempts      integer NOT NULL DEFAULT 0,
  progress      double precision NOT NULL DEFAULT 0,
  error         text,
  -- as the contract's Calibration.result
  result        jsonb,
  created_at    timestamptz NOT NULL DEFAULT now(),
  started_at    timestamptz,
  finished_at   timestamptz
);
CREATE INDEX calibrations_open ON calibrations (id) WHERE status IN ('queued', 'running');
CREATE INDEX calibrations_experiment ON calibrations (experiment_id, id);
