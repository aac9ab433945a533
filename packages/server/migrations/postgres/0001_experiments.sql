-- Experiments, their variants and every version they have had; tokens; the audit log.

CREATE TABLE experiments (
  id           integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  key          text NOT NULL UNIQUE CHECK (key ~ '^[a-z][a-z0-9_-]{0,62}$'),
  name         text NOT NULL,
  description  text NOT NULL DEFAULT '',
  hypothesis   text NOT NULL DEFAULT '',
  status       text NOT NULL DEFAULT 'draft'
               CHECK (status IN ('draft', 'scheduled', 'running', 'paused', 'stopped', 'archived')),
  version      integer NOT NULL DEFAULT 1,
  seed         text NOT NULL,
  -- hundredths of a percent, 0…10000: money-like integers, because 33.33 is not a binary fraction
  coverage     integer NOT NULL DEFAULT 10000 CHECK (coverage BETWEEN 0 AND 10000),
  targeting    jsonb,
  layer        text,
  metrics      jsonb NOT NULL DEFAULT '[]',
  analysis     jsonb NOT NULL DEFAULT '{}',
  -- some assignments did not come from the hash, so the hash alone cannot stand in for them
  has_reported boolean NOT NULL DEFAULT false,
  starts_at    timestamptz,
  ends_at      timestamptz,
  created_at   timestamptz NOT NULL DEFAULT now(),
  updated_at   timestamptz NOT NULL DEFAULT now(),
  started_at   timestamptz,
  stopped_at   timestamptz
);

CREATE TABLE variants (
  id            integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  experiment_id integer NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
  -- the order of the array at creation; bucket ranges follow it
  position      integer NOT NULL,
  key           text NOT NULL CHECK (key ~ '^[a-z][a-z0-9_-]{0,62}$'),
  name          text NOT NULL,
  allocation    integer NOT NULL CHECK (allocation BETWEEN 0 AND 10000),
  is_control    boolean NOT NULL DEFAULT false,
  config        jsonb NOT NULL DEFAULT '{}',
  UNIQUE (experiment_id, key),
  UNIQUE (experiment_id, position)
);
CREATE UNIQUE INDEX variants_one_control ON variants (experiment_id) WHERE is_control;

-- What each version of a started experiment assigned by: the expectation of its SRM check, and
-- the proof that a reported variant could have been given.
CREATE TABLE experiment_versions (
  experiment_id integer NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
  version       integer NOT NULL,
  coverage      integer NOT NULL,
  -- [{"variant_id": 1, "allocation": 5000}, …] in position order
  allocations   jsonb NOT NULL,
  effective_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (experiment_id, version)
);

CREATE TABLE overrides (
  experiment_id integer NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
  user_id       text NOT NULL,
  variant_id    integer NOT NULL REFERENCES variants (id) ON DELETE CASCADE,
  created_at    timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (experiment_id, user_id)
);

CREATE TABLE tokens (
  id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name        text NOT NULL,
  role        text NOT NULL CHECK (role IN ('client', 'ingest', 'viewer', 'editor', 'admin')),
  -- SHA-256 of the whole token; 256 random bits need no salt and no slow hash
  hash        bytea NOT NULL UNIQUE,
  prefix      text NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT now(),
  revoked_at  timestamptz
);

CREATE TABLE audit_log (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at            timestamptz NOT NULL DEFAULT now(),
  actor         text NOT NULL,
  action        text NOT NULL,
  resource_type text NOT NULL,
  resource_id   text NOT NULL,
  before        jsonb,
  after         jsonb,
  request_id    text
);
CREATE INDEX audit_log_resource ON audit_log (resource_type, resource_id, id);

-- One number that moves with every change an API process must see. A process that missed a
-- notification (a connection was down) sees by polling it that its snapshot is old.
CREATE TABLE config_version (
  id      boolean PRIMARY KEY DEFAULT true CHECK (id),
  version bigint NOT NULL
);
INSERT INTO config_version (version) VALUES (1);

CREATE FUNCTION bump_config_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE config_version SET version = version + 1;
  PERFORM pg_notify('assay_config', '');
  RETURN NULL;
END $$;

CREATE TRIGGER config_changed AFTER INSERT OR UPDATE OR DELETE ON experiments
  FOR EACH STATEMENT EXECUTE FUNCTION bump_config_version();
CREATE TRIGGER config_changed AFTER INSERT OR UPDATE OR DELETE ON variants
  FOR EACH STATEMENT EXECUTE FUNCTION bump_config_version();
CREATE TRIGGER config_changed AFTER INSERT OR UPDATE OR DELETE ON overrides
  FOR EACH STATEMENT EXECUTE FUNCTION bump_config_version();
CREATE TRIGGER config_changed AFTER INSERT OR UPDATE OR DELETE ON tokens
  FOR EACH STATEMENT EXECUTE FUNCTION bump_config_version();
