create table access.passkey (
  id               uuid primary key,
  agent_id         uuid not null references access.agent (id) on delete cascade,
  credential_index bytea not null unique check (length(credential_index) = 32),
  details          bytea not null,
  sign_count       bigint not null check (sign_count >= 0),
  backed_up        boolean not null,
  created_at       timestamptz not null,
  last_used_at     timestamptz
);
create index on access.passkey (agent_id, id);
comment on column access.passkey.credential_index is 'pii: class=keyed; ground=legitimate-interest; deleteAfter=P1Y; subject=agent';
comment on column access.passkey.details is 'pii: class=sealed; ground=legitimate-interest; deleteAfter=P1Y; subject=agent';

-- Challenges that wait to be signed; nobody's while nobody has signed in. Each counts once.
create table access.challenge (
  id         uuid primary key,
  agent_id   uuid references access.agent (id) on delete cascade,
  challenge  bytea not null check (length(challenge) = 32),
  expires_at timestamptz not null
);
create index on access.challenge (expires_at);
create index on access.challenge (agent_id) where agent_id is not null;
