create schema accounts;

create table accounts.account (
  id                  uuid primary key,
  state               text not null check (state in ('active', 'leaving', 'closed')),
  email               bytea,
  email_index         bytea unique check (length(email_index) = 32),
  name                bytea,
  language            text check (language in ('en', 'zh-Hans', 'zh-Hant')),
  country             text check (country ~ '^[A-Z]{2}$'),
  password_hash       text,
  email_verified_at   timestamptz,
  email_changed_at    timestamptz,
  password_changed_at timestamptz,
  created_at          timestamptz,
  frozen_at           timestamptz,
  closed_at           timestamptz,
  -- An open account is whole; a closed one is a tombstone that says only that it was closed, and when.
  check (state = 'closed' or num_nulls(email, email_index, name, language, password_hash, password_changed_at, created_at) = 0),
  check ((state = 'leaving') = (frozen_at is not null)),
  check ((state = 'closed') = (closed_at is not null)),
  check (state <> 'closed' or num_nonnulls(email, email_index, name, language, country, password_hash,
    email_verified_at, email_changed_at, password_changed_at, created_at, frozen_at) = 0)
);
comment on column accounts.account.email is 'pii: class=sealed; ground=contract; deleteAfter=closure';
comment on column accounts.account.email_index is 'pii: class=keyed; ground=contract; deleteAfter=closure';
comment on column accounts.account.name is 'pii: class=sealed; ground=contract; deleteAfter=closure';
comment on column accounts.account.country is 'pii: class=pseudonymous; ground=contract; deleteAfter=closure';
comment on column accounts.account.password_hash is 'pii: class=keyed; ground=contract; deleteAfter=closure';

create table accounts.session (
  id           uuid primary key,
  account_id   uuid not null references accounts.account (id),
  secret_hash  bytea not null unique check (length(secret_hash) = 32),
  user_agent   bytea not null,
  address      bytea not null,
  created_at   timestamptz not null,
  last_seen_at timestamptz not null,
  expires_at   timestamptz not null
);
create index on accounts.session (account_id, id);
create index on accounts.session (expires_at);
comment on column accounts.session.user_agent is 'pii: class=sealed; ground=legitimate-interest; deleteAfter=P30D';
comment on column accounts.session.address is 'pii: class=sealed; ground=legitimate-interest; deleteAfter=P30D';

-- The address that a code was last sent to, one an account.
create table accounts.verification (
  account_id  uuid primary key references accounts.account (id),
  email       bytea not null,
  email_index bytea not null check (length(email_index) = 32),
  code_digest bytea not null check (length(code_digest) = 32),
  expires_at  timestamptz not null
);
create index on accounts.verification (expires_at);
comment on column accounts.verification.email is 'pii: class=sealed; ground=contract; deleteAfter=P1D';
comment on column accounts.verification.email_index is 'pii: class=keyed; ground=contract; deleteAfter=P1D';

create table accounts.contact (
  id         uuid primary key,
  account_id uuid not null references accounts.account (id),
  details    bytea not null,
  created_at timestamptz not null
);
create index on accounts.contact (account_id, created_at, id);
comment on column accounts.contact.details is 'pii: class=sealed; ground=contract; deleteAfter=closure';

comment on table accounts.account is 'retained: legal-obligation; until=P10Y';
