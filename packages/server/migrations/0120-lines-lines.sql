create schema lines;

create table lines.device (
  device_id     uuid primary key,
  account_id    uuid not null,
  eid           text not null,
  first_seen_at timestamptz not null,
  unique (account_id, eid)
);
comment on column lines.device.eid is 'pii: class=pseudonymous; ground=contract; deleteAfter=closure';

create table lines.line (
  line_id       uuid primary key,
  account_id    uuid not null,
  plan_id       uuid not null,
  operator_id   uuid not null,
  profile_id    uuid not null,
  delivery      text not null,
  service       text not null,
  iccid         text,
  device_id     uuid references lines.device (device_id),
  created_at    timestamptz not null,
  activated_at  timestamptz,
  terminated_at timestamptz
);
comment on column lines.line.iccid is 'pii: class=pseudonymous; ground=contract; deleteAfter=closure';
create index on lines.line (account_id, line_id desc);
create index on lines.line (profile_id);
create index on lines.line (device_id) where device_id is not null;

create table lines.change (
  line_id   uuid not null references lines.line (line_id),
  change_id uuid not null,
  at        timestamptz not null,
  axis      text not null check (axis in ('delivery', 'service')),
  from_state text,
  to_state  text not null,
  by_kind   text not null,
  by_id     text not null,
  reason    text,
  primary key (line_id, change_id)
);
comment on column lines.change.reason is 'not pii: words of ours, or of an agent, who names nobody';

comment on table lines.line is 'retained: legal-obligation; until=P10Y';
