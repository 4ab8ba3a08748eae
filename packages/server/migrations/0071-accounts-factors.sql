-- A guest has an account without a password: its address is kept apart from those that sign in, and need not be its alone.
alter table accounts.account drop constraint account_check;
alter table accounts.account add column guest_index bytea check (length(guest_index) = 32);
alter table accounts.account
  add constraint account_whole check (state = 'closed' or (num_nulls(email, name, language, created_at) = 0 and num_nonnulls(email_index, guest_index) = 1)),
  add constraint account_password check (state = 'closed'
    or (guest_index is null and num_nulls(password_hash, password_changed_at) = 0) or (guest_index is not null and num_nonnulls(password_hash, password_changed_at) = 0)),
  add constraint account_closed_guest check (state <> 'closed' or guest_index is null);
create index on accounts.account (guest_index, id) where guest_index is not null;
comment on column accounts.account.guest_index is 'pii: class=keyed; ground=contract; deleteAfter=closure';

alter table accounts.session add column name bytea;
comment on column accounts.session.name is 'pii: class=sealed; ground=contract; deleteAfter=P30D';

-- A code that was mailed to the address of the account, one for each purpose.
create table accounts.mailed_code (
  account_id  uuid not null references accounts.account (id),
  purpose     text not null check (purpose in ('reset', 'claim', 'step-up')),
  code_digest bytea not null check (length(code_digest) = 32),
  expires_at  timestamptz not null,
  primary key (account_id, purpose)
);
create index on accounts.mailed_code (expires_at);

-- The secret of an authenticator app. It counts from confirmed_at on; a step of the clock counts once.
create table accounts.one_time_code (
  account_id   uuid primary key references accounts.account (id),
  secret       bytea not null,
  last_step    bigint not null default 0,
  created_at   timestamptz not null,
  confirmed_at timestamptz
);
comment on column accounts.one_time_code.secret is 'pii: class=sealed; ground=contract; deleteAfter=closure';

create table accounts.recovery_code (
  account_id  uuid not null references accounts.account (id),
  code_digest bytea not null check (length(code_digest) = 32),
  primary key (account_id, code_digest)
);

create table accounts.passkey (
  id               uuid primary key,
  account_id       uuid not null references accounts.account (id),
  credential_index bytea not null unique check (length(credential_index) = 32),
  details          bytea not null,
  sign_count       bigint not null check (sign_count >= 0),
  backed_up        boolean not null,
  created_at       timestamptz not null,
  last_used_at     timestamptz
);
create index on accounts.passkey (account_id, id);
comment on column accounts.passkey.credential_index is 'pii: class=keyed; ground=contract; deleteAfter=closure';
comment on column accounts.passkey.details is 'pii: class=sealed; ground=contract; deleteAfter=closure';

-- Challenges that wait to be signed; nobody's while nobody has signed in. Each counts once.
create table accounts.challenge (
  id         uuid primary key,
  account_id uuid references accounts.account (id),
  purpose    text not null check (purpose in ('sign-in', 'step-up', 'create')),
  challenge  bytea not null check (length(challenge) = 32),
  expires_at timestamptz not null,
  check ((purpose = 'sign-in') = (account_id is null))
);
create index on accounts.challenge (expires_at);
create index on accounts.challenge (account_id) where account_id is not null;

-- The password was right, a second proof is awaited.
create table accounts.pending_sign_in (
  secret_hash bytea primary key check (length(secret_hash) = 32),
  account_id  uuid not null references accounts.account (id),
  expires_at  timestamptz not null
);
create index on accounts.pending_sign_in (account_id);
create index on accounts.pending_sign_in (expires_at);
