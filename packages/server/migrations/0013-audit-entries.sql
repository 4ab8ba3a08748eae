CREATE SCHEMA audit;

CREATE TABLE audit.entry (
  id uuid PRIMARY KEY,
  at timestamptz NOT NULL,
  actor_kind text NOT NULL CHECK (actor_kind IN ('account', 'agent', 'operator', 'device', 'system')),
  actor_id text NOT NULL CHECK (length(actor_id) BETWEEN 1 AND 120),
  action text NOT NULL CHECK (length(action) BETWEEN 1 AND 120),
  subject_kind text NOT NULL CHECK (length(subject_kind) BETWEEN 1 AND 80),
  subject_id text NOT NULL CHECK (length(subject_id) BETWEEN 1 AND 120),
  account_id uuid,
  reason text CHECK (length(reason) <= 500),
  details jsonb
);

CREATE INDEX entry_subject ON audit.entry (subject_kind, subject_id, id DESC);
CREATE INDEX entry_account ON audit.entry (account_id, id DESC) WHERE account_id IS NOT NULL;

CREATE FUNCTION audit.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'audit entries are never changed' USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER entry_append_only BEFORE UPDATE OR DELETE ON audit.entry
  FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER entry_no_truncate BEFORE TRUNCATE ON audit.entry
  FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();

COMMENT ON TABLE audit.entry IS 'retained: legal-obligation; until=P10Y';
COMMENT ON COLUMN audit.entry.details IS 'not pii: internal ids, states, counts and names of fields';
