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
CREATE INDEX delivery_delayed ON jobs.delivery (due_at, seq) WHERE status = 'delayed';
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

-- Claiming, ending and renewing go row by row, by primary key, in functions: a join would be planned while this table is
-- near empty and kept when it has filled up, and then each look for work would read the whole backlog.

-- Lets delayed rows that fell due take their place in their lanes, and takes back rows whose worker went silent.
CREATE FUNCTION jobs.refresh_deliveries(p_now timestamptz, p_limit integer) RETURNS void
LANGUAGE plpgsql SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
DECLARE
  found_row record;
BEGIN
  FOR found_row IN
    SELECT event_id, consumer FROM jobs.delivery WHERE status = 'delayed' AND due_at <= p_now
    ORDER BY due_at, seq LIMIT p_limit FOR UPDATE SKIP LOCKED
  LOOP
    UPDATE jobs.delivery SET status = 'ready', seq = nextval('jobs.delivery_seq')
    WHERE event_id = found_row.event_id AND consumer = found_row.consumer;
  END LOOP;
  FOR found_row IN
    SELECT event_id, consumer FROM jobs.delivery WHERE status = 'running' AND lease_until <= p_now
    ORDER BY lease_until LIMIT p_limit FOR UPDATE SKIP LOCKED
  LOOP
    UPDATE jobs.delivery SET status = 'ready', lease_until = NULL
    WHERE event_id = found_row.event_id AND consumer = found_row.consumer;
  END LOOP;
END $$;

-- Takes due rows that are the oldest unsent of their lane. The oldest row's lock orders the lane; the unique index on
-- running rows keeps two workers out of one lane even where a late commit slipped an older row in between.
-- A due row that is not the oldest stands behind, so that a long lane is not read again at every look: whoever ends the
-- oldest calls the next one forward, and cannot do so before this transaction, which holds the oldest row, has ended.
CREATE FUNCTION jobs.claim_deliveries(p_known text[], p_now timestamptz, p_lease_until timestamptz, p_limit integer)
RETURNS SETOF jobs.delivery
LANGUAGE plpgsql SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
DECLARE
  candidate record;
  oldest uuid;
  head jobs.delivery;
  taken integer := 0;
BEGIN
  FOR candidate IN
    SELECT event_id, consumer, key FROM jobs.delivery
    WHERE status = 'ready' AND due_at <= p_now AND (consumer || ' ' || event) = ANY (p_known)
    ORDER BY due_at, seq LIMIT p_limit * 4
  LOOP
    EXIT WHEN taken >= p_limit;
    SELECT event_id INTO oldest FROM jobs.delivery
    WHERE consumer = candidate.consumer AND key = candidate.key AND status IN ('ready', 'behind', 'running') ORDER BY seq LIMIT 1;
    CONTINUE WHEN NOT FOUND;
    SELECT * INTO head FROM jobs.delivery
    WHERE event_id = oldest AND consumer = candidate.consumer FOR UPDATE SKIP LOCKED;
    CONTINUE WHEN NOT FOUND OR head.status NOT IN ('ready', 'behind', 'running');
    IF head.event_id <> candidate.event_id THEN
      PERFORM jobs.stand_behind(candidate.event_id, candidate.consumer);
    ELSIF head.status = 'ready' AND head.due_at <= p_now AND NOT EXISTS (
      SELECT FROM jobs.delivery WHERE consumer = candidate.consumer AND key = candidate.key AND status = 'running'
    ) THEN
      taken := taken + 1;
      RETURN QUERY UPDATE jobs.delivery SET status = 'running', attempts = attempts + 1, lease_until = p_lease_until
        WHERE event_id = head.event_id AND consumer = head.consumer RETURNING *;
    END IF;
  END LOOP;
END $$;

CREATE FUNCTION jobs.stand_behind(p_event_id uuid, p_consumer text) RETURNS void
LANGUAGE plpgsql SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
  row_status text;
BEGIN
  SELECT status INTO row_status FROM jobs.delivery WHERE event_id = p_event_id AND consumer = p_consumer FOR UPDATE SKIP LOCKED;
  IF row_status = 'ready' THEN
    UPDATE jobs.delivery SET status = 'behind' WHERE event_id = p_event_id AND consumer = p_consumer;
  END IF;
END $$;

-- Saves how an attempt ended (done, retry or dead) and calls the next row of its lane forward. False when the row was
-- taken back meanwhile: then another attempt counts.
CREATE FUNCTION jobs.end_delivery(
  p_event_id uuid, p_consumer text, p_attempt integer, p_fate text, p_error text, p_due_at timestamptz, p_now timestamptz
) RETURNS boolean
LANGUAGE plpgsql SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
DECLARE
  ending jobs.delivery;
  next_event uuid;
  next_status text;
BEGIN
  SELECT * INTO ending FROM jobs.delivery WHERE event_id = p_event_id AND consumer = p_consumer FOR UPDATE;
  IF NOT FOUND OR ending.status <> 'running' OR ending.attempts <> p_attempt THEN
    RETURN false;
  END IF;
  IF p_fate = 'retry' THEN
    UPDATE jobs.delivery SET status = 'ready', lease_until = NULL, due_at = p_due_at, last_error = p_error
    WHERE event_id = p_event_id AND consumer = p_consumer;
    RETURN true;
  END IF;
  UPDATE jobs.delivery SET status = p_fate, lease_until = NULL, last_error = p_error, ended_at = p_now
  WHERE event_id = p_event_id AND consumer = p_consumer;
  SELECT event_id INTO next_event FROM jobs.delivery
  WHERE consumer = ending.consumer AND key = ending.key AND status = 'behind' ORDER BY seq LIMIT 1;
  IF FOUND THEN
    SELECT status INTO next_status FROM jobs.delivery WHERE event_id = next_event AND consumer = ending.consumer FOR UPDATE;
    IF next_status = 'behind' THEN
      UPDATE jobs.delivery SET status = 'ready' WHERE event_id = next_event AND consumer = ending.consumer;
    END IF;
  END IF;
  RETURN true;
END $$;

-- A worker's whole turn in one statement: saves how deliveries ended, takes back what is due again and claims the next ones.
-- Its commit need not reach the disk before the worker goes on: a crash that takes it back takes back all that came after, and what was
-- delivered is delivered again.
CREATE FUNCTION jobs.turn_deliveries(
  p_event_ids uuid[], p_consumers text[], p_attempts integer[], p_fates text[], p_errors text[], p_due_ats timestamptz[],
  p_refresh integer, p_known text[], p_now timestamptz, p_lease_until timestamptz, p_limit integer
) RETURNS SETOF jobs.delivery
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  FOR i IN 1 .. cardinality(p_event_ids) LOOP
    PERFORM jobs.end_delivery(p_event_ids[i], p_consumers[i], p_attempts[i], p_fates[i], p_errors[i], p_due_ats[i], p_now);
  END LOOP;
  IF p_refresh > 0 THEN
    PERFORM jobs.refresh_deliveries(p_now, p_refresh);
  END IF;
  IF p_limit > 0 THEN
    RETURN QUERY SELECT * FROM jobs.claim_deliveries(p_known, p_now, p_lease_until, p_limit);
  END IF;
END $$;

-- Renews a lease; a locked row is just ending.
CREATE FUNCTION jobs.extend_delivery(p_event_id uuid, p_consumer text, p_attempt integer, p_lease_until timestamptz) RETURNS void
LANGUAGE plpgsql SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
  held record;
BEGIN
  SELECT status, attempts INTO held FROM jobs.delivery WHERE event_id = p_event_id AND consumer = p_consumer FOR UPDATE SKIP LOCKED;
  IF held.status = 'running' AND held.attempts = p_attempt THEN
    UPDATE jobs.delivery SET lease_until = p_lease_until WHERE event_id = p_event_id AND consumer = p_consumer;
  END IF;
END $$;

COMMENT ON TABLE jobs.delivery IS 'retained: legitimate-interest; until=P90D';
