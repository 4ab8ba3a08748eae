CREATE SCHEMA jobs;

CREATE SEQUENCE jobs.delivery_seq AS bigint CACHE 1;

-- One row for each (event, consumer). A lane is the rows of one (consumer, key) that are ready, behind or running.
CREATE TABLE jobs.delivery (
  event_id uuid NOT NULL,
  consumer text NOT NULL CHECK (length(consumer) BETWEEN 1 AND 120),
  -- The place in the lane. A delayed row gets a new one when it falls due.
  seq bigint NOT NULL DEFAULT nextval('jobs.delivery_seq'),
  event text NOT NULL CHECK (length(event) BETWEEN 1 AND 120),
  key text NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
  body jsonb NOT NULL,
  emitted_at timestamptz NOT NULL,
  status text NOT NULL CHECK (status IN ('delayed', 'ready', 'behind', 'running', 'done', 'dead')),
  due_at timestamptz NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  lease_until timestamptz,
  last_error text CHECK (length(last_error) <= 300),
  ended_at timestamptz,
  PRIMARY KEY (event_id, consumer),
  CHECK ((status = 'running') = (lease_until IS NOT NULL)),
  CHECK ((status IN ('done', 'dead')) = (ended_at IS NOT NULL))
) WITH (fillfactor = 85);

CREATE INDEX delivery_ready ON jobs.delivery (due_at, seq) WHERE status = 'ready';
CREATE INDEX delivery_delayed ON jobs.delivery (due_at) WHERE status = 'delayed';
CREATE INDEX delivery_lane ON jobs.delivery (consumer, key, seq) WHERE status IN ('ready', 'behind', 'running');
CREATE INDEX delivery_behind ON jobs.delivery (consumer, key, seq) WHERE status = 'behind';
-- Two workers can never deliver for one lane at the same time, whatever they read before.
CREATE UNIQUE INDEX delivery_one_running ON jobs.delivery (consumer, key) WHERE status = 'running';
CREATE INDEX delivery_lease ON jobs.delivery (lease_until) WHERE status = 'running';
CREATE INDEX delivery_done ON jobs.delivery (ended_at) WHERE status = 'done';
CREATE INDEX delivery_dead ON jobs.delivery (seq) WHERE status = 'dead';

COMMENT ON COLUMN jobs.delivery.key IS 'pii: class=pseudonymous; ground=contract; deleteAfter=P90D';
COMMENT ON COLUMN jobs.delivery.body IS 'pii: class=pseudonymous; ground=contract; deleteAfter=P90D';

CREATE TABLE jobs.schedule (
  name text PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 120),
  every_ms bigint NOT NULL CHECK (every_ms > 0),
  due_at timestamptz NOT NULL,
  lease_until timestamptz,
  -- Each claim takes the next number; only the holder of the current one may end the run.
  claim bigint NOT NULL DEFAULT 0,
  failures integer NOT NULL DEFAULT 0,
  last_error text CHECK (length(last_error) <= 300),
  last_run_at timestamptz
);
