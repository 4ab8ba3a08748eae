CREATE SCHEMA keys;

-- Subjects share a wrapping key by the bucket. The wrapping key lies in a file, never here: what PostgreSQL keeps of a deleted row
-- (dead tuples, WAL, backups) opens nothing once that file was replaced and destroyed.
CREATE TABLE keys.bucket (
  bucket_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- Names the file of the wrapping key in force; every version has a name of its own.
  key_id text NOT NULL UNIQUE CHECK (length(key_id) BETWEEN 1 AND 63),
  -- Names the master key that the file is sealed under.
  master_id text NOT NULL,
  -- Places given out, whoever has left since: a bucket is filled once.
  assigned integer NOT NULL CHECK (assigned BETWEEN 0 AND 256)
);

CREATE INDEX bucket_open ON keys.bucket (bucket_id) WHERE assigned < 256;
CREATE INDEX bucket_master ON keys.bucket (master_id);

-- Wrapping keys that no bucket uses: drafts on their way to one, and versions that were replaced and whose files are to be destroyed.
CREATE TABLE keys.loose_key (
  key_id text PRIMARY KEY CHECK (length(key_id) BETWEEN 1 AND 63),
  draft boolean NOT NULL,
  since timestamptz NOT NULL
);

CREATE TABLE keys.data_key (
  subject_id text PRIMARY KEY CHECK (length(subject_id) BETWEEN 1 AND 120),
  bucket_id bigint NOT NULL REFERENCES keys.bucket (bucket_id),
  wrapped bytea NOT NULL,
  created_at timestamptz NOT NULL
);

CREATE INDEX data_key_bucket ON keys.data_key (bucket_id);

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

-- Which key every process signs with under a name: a process that was given another key folder is found out.
CREATE TABLE keys.signer (
  name text PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 63),
  public_key_digest bytea NOT NULL CHECK (length(public_key_digest) = 32),
  first_used_at timestamptz NOT NULL
);
