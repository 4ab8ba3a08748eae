create schema http;

-- What idempotent requests were answered. Neither the caller nor the key is kept: `place` and `request` are keyed digests,
-- and the answer is sealed under a key that only the caller's Idempotency-Key completes.
create table http.idempotency (
  place       bytea primary key check (length(place) = 32),
  request     bytea not null check (length(request) = 32),
  run_id      uuid not null,
  lease_until timestamptz not null,
  answer      bytea,
  expires_at  timestamptz not null
);
create index on http.idempotency (expires_at);
comment on column http.idempotency.place is 'pii: class=keyed; ground=contract; deleteAfter=P1D';
comment on column http.idempotency.request is 'pii: class=keyed; ground=contract; deleteAfter=P1D';
comment on column http.idempotency.answer is 'pii: class=sealed; ground=contract; deleteAfter=P1D';

-- Attempts at secrets, counted for all processes together.
create table http.attempts (
  bucket     bytea primary key check (length(bucket) = 32),
  count      integer not null,
  expires_at timestamptz not null
);
create index on http.attempts (expires_at);
comment on column http.attempts.bucket is 'pii: class=keyed; ground=legitimate-interest; deleteAfter=P1D';

comment on table http.idempotency is 'retained: contract; until=P1D';
comment on table http.attempts is 'retained: legitimate-interest; until=P1D';
