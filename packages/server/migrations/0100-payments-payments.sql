create schema payments;

create table payments.payment (
  id             uuid primary key,
  account_id     uuid not null,
  request_key    bytea,
  intent_id      text unique check (length(intent_id) <= 255),
  amount_minor   bigint not null check (amount_minor > 0),
  currency       text not null check (currency ~ '^[A-Z]{3}$'),
  status         text not null check (status in ('created', 'awaiting', 'processing', 'captured', 'canceled')),
  captured_minor bigint not null default 0 check (captured_minor >= 0),
  -- Refunds that were asked for and have not failed: never more than was captured, whoever asks at the same time.
  refunded_minor bigint not null default 0 check (refunded_minor between 0 and captured_minor),
  card_brand     text check (length(card_brand) <= 40),
  card_last4     text check (card_last4 ~ '^[0-9]{4}$'),
  created_at     timestamptz not null,
  captured_at    timestamptz,
  looked_at      timestamptz,
  check ((status = 'captured') = (captured_at is not null)),
  unique (account_id, request_key)
);
create index on payments.payment (account_id, created_at desc, id desc);
create index on payments.payment (coalesce(looked_at, created_at), id) where status in ('created', 'awaiting', 'processing');
comment on column payments.payment.request_key is 'pii: class=keyed; ground=contract; deleteAfter=closure';
comment on column payments.payment.intent_id is 'pii: class=pseudonymous; ground=legal-obligation; deleteAfter=P10Y';
comment on column payments.payment.card_brand is 'pii: class=pseudonymous; ground=contract; deleteAfter=closure';
comment on column payments.payment.card_last4 is 'pii: class=pseudonymous; ground=contract; deleteAfter=closure';

create table payments.refund (
  id                uuid primary key,
  payment_id        uuid not null references payments.payment (id),
  account_id        uuid not null,
  amount_minor      bigint not null check (amount_minor > 0),
  currency          text not null check (currency ~ '^[A-Z]{3}$'),
  status            text not null check (status in ('requested', 'pending', 'succeeded', 'failed')),
  gateway_refund_id text unique check (length(gateway_refund_id) <= 255),
  failure           text check (length(failure) <= 100),
  requested_at      timestamptz not null,
  -- Set before the gateway is first told: from then on it may have been paid, whatever we know.
  sent_at           timestamptz,
  settled_at        timestamptz,
  looked_at         timestamptz,
  check ((status in ('succeeded', 'failed')) = (settled_at is not null))
);
create index on payments.refund (payment_id);
create index on payments.refund (account_id, requested_at desc, id desc);
create index on payments.refund (coalesce(looked_at, sent_at), id) where status in ('requested', 'pending') and sent_at is not null;
comment on column payments.refund.gateway_refund_id is 'pii: class=pseudonymous; ground=legal-obligation; deleteAfter=P10Y';

create table payments.gateway_event (
  event_id    text primary key check (length(event_id) <= 255),
  type        text not null,
  received_at timestamptz not null
);
create index on payments.gateway_event (received_at);

create table payments.voucher_batch (
  id           uuid primary key,
  name         text not null check (length(name) between 1 and 80),
  agent_id     uuid not null,
  request_key  bytea not null,
  codes        bytea not null,
  amount_minor bigint not null check (amount_minor > 0),
  currency     text not null check (currency ~ '^[A-Z]{3}$'),
  count        integer not null check (count > 0),
  valid_until  timestamptz not null,
  created_at   timestamptz not null,
  unique (agent_id, request_key)
);
comment on column payments.voucher_batch.name is 'not pii: a campaign';

create table payments.voucher (
  id          uuid primary key,
  batch_id    uuid not null references payments.voucher_batch (id),
  code_index  bytea not null unique check (length(code_index) = 32),
  -- Who redeemed it, once.
  account_id  uuid,
  request_key bytea,
  redeemed_at timestamptz,
  check ((account_id is null) = (redeemed_at is null))
);
create index on payments.voucher (batch_id);
create index on payments.voucher (account_id, redeemed_at desc, id desc) where account_id is not null;
comment on column payments.voucher.request_key is 'pii: class=keyed; ground=contract; deleteAfter=closure';

comment on table payments.payment is 'retained: legal-obligation; until=P10Y';
comment on table payments.refund is 'retained: legal-obligation; until=P10Y';
comment on table payments.voucher is 'retained: legal-obligation; until=P10Y';
