CREATE TABLE jobs.saga (
  id text PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 120),
  kind text NOT NULL CHECK (length(kind) BETWEEN 1 AND 80),
  input jsonb NOT NULL,
  status text NOT NULL CHECK (status IN ('running', 'stuck', 'undoing', 'completed', 'undone')),
  direction text NOT NULL CHECK (direction IN ('forward', 'backward')),
  -- When to look at it next; null when it waits for an agent or has ended.
  due_at timestamptz,
  -- Incremented at each take-over; a write with an older one fails.
  fence bigint NOT NULL DEFAULT 0,
  lease_until timestamptz,
  -- Counts wakes, so that one that comes while a step runs is not lost.
  wakes bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL,
  ended_at timestamptz,
  CHECK ((status IN ('running', 'undoing')) = (due_at IS NOT NULL)),
  CHECK ((status IN ('completed', 'undone')) = (ended_at IS NOT NULL))
);

CREATE INDEX saga_due ON jobs.saga (due_at) WHERE status IN ('running', 'undoing');
CREATE INDEX saga_stuck ON jobs.saga (created_at) WHERE status = 'stuck';

CREATE TABLE jobs.saga_step (
  saga_id text NOT NULL REFERENCES jobs.saga (id) ON DELETE CASCADE,
  position integer NOT NULL,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
  pivot boolean NOT NULL,
  status text NOT NULL
    CHECK (status IN ('pending', 'running', 'waiting', 'retrying', 'stuck', 'done', 'skipped', 'undoing', 'undone')),
  -- Runs begun in all, forward and backward.
  attempts integer NOT NULL DEFAULT 0,
  -- Failures since the last success, wait or wake.
  failures integer NOT NULL DEFAULT 0,
  due_at timestamptz,
  waiting_on text CHECK (length(waiting_on) <= 200),
  started_at timestamptz,
  ended_at timestamptz,
  last_error text CHECK (length(last_error) <= 300),
  result jsonb,
  skip_reason text CHECK (length(skip_reason) <= 500),
  PRIMARY KEY (saga_id, position),
  UNIQUE (saga_id, name)
);

COMMENT ON COLUMN jobs.saga.input IS 'not pii: internal ids of what the saga is about';
COMMENT ON COLUMN jobs.saga_step.result IS 'not pii: internal ids, counts and states';
