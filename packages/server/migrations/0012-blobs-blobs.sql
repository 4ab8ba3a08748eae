CREATE SCHEMA blobs;

CREATE TABLE blobs.blob (
  id uuid PRIMARY KEY,
  media_type text NOT NULL CHECK (length(media_type) BETWEEN 1 AND 200),
  size bigint NOT NULL CHECK (size >= 0),
  digest bytea NOT NULL CHECK (length(digest) = 32),
  delete_after timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX blob_delete_after ON blobs.blob (delete_after, id);

CREATE TABLE blobs.chunk (
  blob_id uuid NOT NULL REFERENCES blobs.blob (id) ON DELETE CASCADE,
  position integer NOT NULL,
  bytes bytea NOT NULL CHECK (length(bytes) BETWEEN 1 AND 262144),
  PRIMARY KEY (blob_id, position)
);

-- Sealed bytes do not compress.
ALTER TABLE blobs.chunk ALTER COLUMN bytes SET STORAGE EXTERNAL;
COMMENT ON COLUMN blobs.chunk.bytes IS 'pii: class=sealed; ground=contract; deleteAfter=row';

-- Each blob has its own end; the longest is that of usage files as they arrived.
COMMENT ON TABLE blobs.chunk IS 'retained: legal-obligation; until=P90D; entry=usage.batch';
