create schema inventory;

create table inventory.profile (
  id             uuid primary key,
  operator_id    uuid not null,
  iccid          text not null check (iccid ~ '^[0-9]{19,20}$'),
  imsi           text not null check (imsi ~ '^[0-9]{14,15}$'),
  msisdn         text check (msisdn ~ '^[0-9]{5,15}$'),
  state          text not null check (state in ('available', 'allocated', 'released', 'downloaded', 'installed', 'deleted', 'retired')),
  sealed_secrets bytea,
  added_at       timestamptz not null,
  changed_at     timestamptz not null,
  -- A retired profile keeps no keys, any other has them.
  check ((state = 'retired') = (sealed_secrets is null))
);

-- Operators use numbers again, so they are unique only among the profiles that live.
create unique index on inventory.profile (iccid) where state <> 'retired';
create unique index on inventory.profile (imsi) where state <> 'retired';
create index on inventory.profile (operator_id, id) where state = 'available';
create index on inventory.profile (operator_id, state, id);
create index on inventory.profile (state, id);
create index on inventory.profile (changed_at) where state = 'retired';

comment on column inventory.profile.iccid is 'pii: class=pseudonymous; ground=contract; deleteAfter=P90D; subject=stock';
comment on column inventory.profile.imsi is 'pii: class=pseudonymous; ground=contract; deleteAfter=P90D; subject=stock';
comment on column inventory.profile.msisdn is 'pii: class=pseudonymous; ground=contract; deleteAfter=P90D; subject=stock';
comment on column inventory.profile.sealed_secrets is 'not pii: keys of the profile, shared with the operator alone';

comment on table inventory.profile is 'retained: legitimate-interest; until=P90D';
