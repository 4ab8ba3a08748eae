create schema closure;

create table closure.case (
  case_id             uuid primary key,
  case_number         text not null unique,
  account_id          uuid not null,
  idempotency_key     text not null,
  -- The message that acknowledges the application.
  receipt_id          uuid not null,
  state               text not null,
  language            text not null,
  choices             jsonb not null,
  reason              text,
  reason_sealed       bytea,
  access_code_hash    bytea not null,
  access_code_sealed  bytea,
  rules               jsonb not null default '[]',
  refusal             jsonb,
  submitted_at        timestamptz not null,
  target_at           timestamptz not null,
  promised_at         timestamptz not null,
  cooling_off_until   timestamptz,
  executing_at        timestamptz,
  -- The saga that executes it; a case that was undone and approved again gets another.
  execution_id        uuid,
  completed_at        timestamptz,
  -- The case envelope: where the confirmation goes and what the certificate needs, under a key of its own.
  envelope            bytea,
  envelope_destroyed_at timestamptz,
  confirmation_id     uuid,
  -- What the settle and erase steps did, written in their own transactions.
  settlement          jsonb,
  erasure             jsonb,
  unique (account_id, idempotency_key)
);
comment on column closure.case.reason_sealed is 'pii: class=sealed; ground=consent; deleteAfter=closure';
comment on column closure.case.access_code_sealed is 'pii: class=sealed; ground=contract; deleteAfter=closure';
comment on column closure.case.envelope is 'pii: class=sealed; ground=legal-obligation; deleteAfter=P7D';
create unique index on closure.case (account_id) where state not in ('withdrawn', 'refused', 'completed', 'partiallyCompleted');
create index on closure.case (state, promised_at, case_id);
create unique index on closure.case (execution_id) where execution_id is not null;
create index on closure.case (case_id) where envelope is not null;

create table closure.change (
  case_id    uuid not null references closure.case (case_id),
  change_id  uuid not null,
  at         timestamptz not null,
  action     text not null,
  from_state text,
  to_state   text not null,
  by_kind    text not null,
  by_id      text not null,
  reason     text,
  primary key (case_id, change_id)
);

create table closure.receipt (
  case_id   uuid not null references closure.case (case_id),
  recipient text not null,
  name      text not null,
  kind      text not null,
  state     text not null check (state in ('told', 'confirmed', 'failed')),
  reference text,
  told_at   timestamptz not null,
  primary key (case_id, recipient)
);

create table closure.export (
  export_id  uuid primary key,
  case_id    uuid not null unique references closure.case (case_id),
  token_hash bytea not null,
  message_id uuid not null,
  blob_id    uuid not null,
  made_at    timestamptz not null,
  expires_at timestamptz not null
);
create index on closure.export (expires_at);

create table closure.certificate (
  case_id   uuid primary key references closure.case (case_id),
  leaf_id   uuid not null unique,
  jws       text not null,
  salt      text not null,
  issued_at timestamptz not null,
  bundle    text
);

comment on column closure.case.reason is 'not pii: one of the codes of the list';
comment on column closure.change.reason is 'not pii: words of ours, or of an agent, who names nobody';
comment on column closure.receipt.recipient is 'not pii: an operator or a processor';
comment on column closure.receipt.name is 'not pii: the name of an operator or a processor';
comment on column closure.case.settlement is 'not pii: amounts, and methods masked to brand and last digits, as the certificate shows them';

comment on table closure.case is 'retained: legal-obligation; until=P10Y';
comment on table closure.export is 'retained: contract; until=P30D';
comment on column closure.case.choices is 'not pii: what becomes of money, credit and export; no free text';
comment on column closure.case.rules is 'not pii: rules that fired, in words of ours';
comment on column closure.case.refusal is 'not pii: words of an agent, who names nobody';
comment on column closure.case.erasure is 'not pii: counts by slice';
