create schema usage;

-- One row a file or push, as it arrived. The raw bytes are one sealed blob with an expiry.
create table usage.batch (
  batch_id    uuid primary key,
  operator_id uuid not null,
  source      text not null,
  -- Null of what could not be read at all.
  digest      bytea,
  -- Null of what was refused unread: then nothing of it was kept.
  blob_id     uuid,
  state       text not null check (state in ('received', 'applied', 'refused')),
  received_at timestamptz not null,
  applied_at  timestamptz,
  records     integer not null default 0,
  duplicates  integer not null default 0,
  suspended   integer not null default 0,
  reason      text check (length(reason) <= 300),
  attempts    integer not null default 0,
  -- How many rows are applied; a batch is applied in pieces, each in a transaction of its own.
  applied_rows integer not null default 0,
  -- When to look at a batch that waits; whoever applies it puts this off as it goes on.
  next_attempt_at timestamptz,
  check (state <> 'received' or (blob_id is not null and next_attempt_at is not null)),
  unique nulls not distinct (operator_id, source, digest)
);
create index on usage.batch (received_at) where state = 'received';
create index on usage.batch (next_attempt_at) where state = 'received';

create table usage.allowance (
  line_id          uuid not null,
  allowance_id     uuid not null,
  account_id       uuid not null,
  order_id         uuid not null unique,
  operator_id      uuid not null,
  state            text not null check (state in ('queued', 'active', 'depleted', 'expired', 'revoked', 'refunded')),
  total_bytes      bigint not null check (total_bytes > 0),
  used_bytes       bigint not null default 0 check (used_bytes >= 0),
  bought_at        timestamptz not null,
  validity_days    integer not null check (validity_days > 0),
  -- Of a queued allowance: the time within which its first use must come.
  valid_from       timestamptz not null,
  valid_until      timestamptz not null,
  currency         text not null,
  paid_cash_minor  bigint not null check (paid_cash_minor >= 0),
  paid_promo_minor bigint not null check (paid_promo_minor >= 0),
  earned_minor     bigint not null default 0,
  refund_rule      jsonb not null,
  told_percent     integer not null default 0,
  messaged_percent integer not null default 0,
  cutoff_at        timestamptz,
  primary key (line_id, allowance_id),
  check (earned_minor <= paid_cash_minor + paid_promo_minor)
);
create index on usage.allowance (account_id, allowance_id);
create index on usage.allowance (valid_until) where state in ('active', 'queued') and cutoff_at is null;

-- Daily partitions are made as records of a day first arrive.
create table usage.record (
  event_day   date not null,
  line_id     uuid not null,
  record_id   text not null,
  batch_id    uuid not null,
  started_at  timestamptz not null,
  stopped_at  timestamptz not null,
  bytes       bigint not null check (bytes >= 0),
  plmn        text,
  late        boolean not null,
  primary key (event_day, line_id, record_id)
) partition by range (event_day);

-- What could not be given to a line: kept, visible and replayable.
create table usage.suspense (
  batch_id  uuid not null,
  row_no    integer not null,
  record_id text not null,
  reason    text not null,
  iccid     text not null,
  bytes     bigint not null,
  at        timestamptz not null,
  primary key (batch_id, row_no)
);
comment on column usage.suspense.iccid is 'pii: class=pseudonymous; ground=contract; deleteAfter=P90D';
create index on usage.suspense (at);
comment on column usage.batch.reason is 'not pii: row number and fault, or a code';
comment on column usage.suspense.reason is 'not pii: one of a few fixed texts';

comment on table usage.allowance is 'retained: legal-obligation; until=P10Y';
comment on table usage.record is 'retained: legal-obligation; until=P13M';
comment on table usage.batch is 'retained: legal-obligation; until=P90D';
comment on table usage.suspense is 'retained: legal-obligation; until=P90D; entry=usage.batch';
comment on column usage.allowance.refund_rule is 'not pii: a rule of the plan';
