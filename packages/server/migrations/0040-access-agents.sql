create schema access;

create table access.agent (
  id                    uuid primary key,
  state                 text not null check (state in ('invited', 'active', 'disabled')),
  email                 bytea not null,
  email_index           bytea not null unique check (length(email_index) = 32),
  name                  bytea not null,
  roles                 text[] not null check (roles <@ array['viewer', 'support', 'finance', 'operations', 'admin'] and cardinality(roles) > 0),
  password_hash         text,
  invitation_hash       bytea unique check (length(invitation_hash) = 32),
  invitation_expires_at timestamptz,
  created_at            timestamptz not null,
  disabled_at           timestamptz,
  check (state <> 'active' or password_hash is not null),
  check ((state = 'disabled') = (disabled_at is not null)),
  check ((invitation_hash is null) = (invitation_expires_at is null))
);
create index on access.agent (disabled_at) where disabled_at is not null;
comment on column access.agent.email is 'pii: class=sealed; ground=legitimate-interest; deleteAfter=P1Y; subject=agent';
comment on column access.agent.email_index is 'pii: class=keyed; ground=legitimate-interest; deleteAfter=P1Y; subject=agent';
comment on column access.agent.name is 'pii: class=sealed; ground=legitimate-interest; deleteAfter=P1Y; subject=agent';
comment on column access.agent.password_hash is 'pii: class=keyed; ground=legitimate-interest; deleteAfter=P1Y; subject=agent';

create table access.session (
  id           uuid primary key,
  agent_id     uuid not null references access.agent (id) on delete cascade,
  secret_hash  bytea not null unique check (length(secret_hash) = 32),
  created_at   timestamptz not null,
  last_seen_at timestamptz not null,
  expires_at   timestamptz not null
);
create index on access.session (agent_id);
create index on access.session (expires_at);

create table access.api_key (
  id          uuid primary key,
  agent_id    uuid not null references access.agent (id) on delete cascade,
  name        text not null,
  secret_hash bytea not null unique check (length(secret_hash) = 32),
  scopes      text[] not null check (cardinality(scopes) > 0),
  created_at  timestamptz not null,
  expires_at  timestamptz not null,
  revoked_at  timestamptz
);
create index on access.api_key (agent_id);
create index on access.api_key (created_at, id);
comment on column access.api_key.name is 'not pii: an agent names a program';
