create schema notifications;

-- One row a person or case that was ever written to; its lock orders queueing, sending and suppression.
create table notifications.subject (
  subject_id    text primary key check (length(subject_id) between 1 and 120),
  suppressed_at timestamptz
);

-- The register of every message: code, kind and times outlive the person's data, so that a code can still be checked.
create table notifications.message (
  id               uuid primary key,
  subject_id       text not null references notifications.subject (subject_id),
  code             text not null unique check (length(code) = 12),
  kind             text not null check (length(kind) between 3 and 120),
  channel          text not null check (channel in ('email')),
  language         text not null check (language in ('en', 'zh-Hans', 'zh-Hant')),
  address          bytea,
  content          bytea,
  address_hash     bytea,
  status           text not null check (status in ('queued', 'sending', 'sent', 'failed', 'suppressed')),
  failure          text check (length(failure) <= 100),
  queued_at        timestamptz not null,
  attempts         integer not null default 0,
  -- When a queued message is to be tried next; its own row says so, whatever becomes of the event that announced it.
  next_attempt_at  timestamptz,
  -- Attempts whose outcome nobody knows: the process died or the connection broke after the text went out.
  unknown_outcomes integer not null default 0,
  sending_until    timestamptz,
  sent_at          timestamptz,
  ended_at         timestamptz,
  check ((status = 'queued') = (next_attempt_at is not null)),
  check ((status = 'sending') = (sending_until is not null)),
  check ((status = 'sent') = (sent_at is not null)),
  check (status not in ('queued', 'sending') or (address is not null and content is not null))
);
create index on notifications.message (subject_id, queued_at desc, id desc);
create index on notifications.message (queued_at) where content is not null;
create index on notifications.message (next_attempt_at, id) where status = 'queued';
create index on notifications.message (sending_until, id) where status = 'sending';
create index on notifications.message (ended_at desc, id desc) where status = 'failed';
comment on column notifications.message.address is 'pii: class=sealed; ground=contract; deleteAfter=P13M';
comment on column notifications.message.content is 'pii: class=sealed; ground=contract; deleteAfter=P13M';
comment on column notifications.message.address_hash is 'pii: class=keyed; ground=contract; deleteAfter=P13M';

-- Addresses of people who left: nothing but what a new contract needs is ever sent there.
create table notifications.left_address (
  address_hash bytea primary key check (length(address_hash) = 32),
  until        timestamptz not null
);
create index on notifications.left_address (until);
comment on column notifications.left_address.address_hash is 'pii: class=keyed; ground=legitimate-interest; deleteAfter=P2Y';

comment on table notifications.message is 'retained: legitimate-interest; until=P13M';
comment on table notifications.left_address is 'retained: legitimate-interest; until=P2Y';
