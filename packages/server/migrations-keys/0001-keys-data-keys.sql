CREATE SCHEMA keys;

CREATE TABLE keys.data_key (
  subject_id text PRIMARY KEY CHECK (length(subject_id) BETWEEN 1 AND 120),
  -- Names the key-encryption key that wrapped it.
  kek_id text NOT NULL,
  wrapped bytea NOT NULL,
  created_at timestamptz NOT NULL
);

CREATE INDEX data_key_kek ON keys.data_key (kek_id);

CREATE TABLE keys.tombstone (
  subject_id text PRIMARY KEY CHECK (length(subject_id) BETWEEN 1 AND 120),
  reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 200),
  destroyed_at timestamptz NOT NULL
);

CREATE FUNCTION keys.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'tombstones are never changed' USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER tombstone_append_only BEFORE UPDATE OR DELETE ON keys.tombstone
  FOR EACH ROW EXECUTE FUNCTION keys.refuse_change();
CREATE TRIGGER tombstone_no_truncate BEFORE TRUNCATE ON keys.tombstone
  FOR EACH STATEMENT EXECUTE FUNCTION keys.refuse_change();
