create schema catalogue;

create table catalogue.plan (
  id            uuid primary key,
  slug          text not null unique check (slug ~ '^[a-z0-9-]{3,60}$'),
  operator_id   uuid not null,
  countries     text[] not null check (cardinality(countries) > 0),
  data_bytes    bigint not null check (data_bytes > 0),
  validity_days integer not null check (validity_days > 0),
  start_rule    jsonb not null,
  refund_rule   jsonb not null,
  -- The texts of the shop by language.
  wording       jsonb not null,
  on_sale       boolean not null default true,
  added_at      timestamptz not null
);
create index on catalogue.plan using gin (countries);
create index on catalogue.plan (slug) where on_sale;

create table catalogue.price (
  plan_id      uuid not null references catalogue.plan (id),
  currency     text not null check (currency ~ '^[A-Z]{3}$'),
  amount_minor bigint not null check (amount_minor > 0),
  primary key (plan_id, currency)
);

comment on column catalogue.plan.start_rule is 'not pii: a rule of the plan';
comment on column catalogue.plan.refund_rule is 'not pii: a rule of the plan';
comment on column catalogue.plan.wording is 'not pii: texts of the shop';
