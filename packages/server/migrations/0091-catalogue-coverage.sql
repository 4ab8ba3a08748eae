-- What the shop says of places, operators and networks, and everything of a plan beyond amount, period and price.

create table catalogue.country (
  code text primary key check (code ~ '^[A-Z]{2}$'),
  name jsonb not null,
  also text[] not null default '{}',
  mccs text[] not null default '{}'
);
comment on column catalogue.country.name is 'not pii: a country';

create table catalogue.region (
  code      text primary key check (code ~ '^[a-z][a-z-]{1,38}[a-z]$'),
  name      jsonb not null,
  countries text[] not null check (cardinality(countries) > 0),
  also      text[] not null default '{}'
);
comment on column catalogue.region.name is 'not pii: a region';
create index on catalogue.region using gin (countries);

-- Names by which places are searched: folded, without spaces. Byte order makes a range of a prefix.
create table catalogue.place_term (
  term  text collate "C" not null,
  place text not null,
  primary key (term, place)
);
create index on catalogue.place_term (place);

-- The id and the code are those of the partner.
create table catalogue.operator (
  id           uuid primary key,
  code         text not null unique,
  name         jsonb not null,
  home_country text not null check (home_country ~ '^[A-Z]{2}$')
);
comment on column catalogue.operator.name is 'not pii: an operator';

create table catalogue.network (
  plmn    text primary key check (plmn ~ '^[0-9]{5,6}$'),
  country text not null references catalogue.country (code),
  name    text not null,
  rats    text[] not null check (cardinality(rats) > 0)
);
comment on column catalogue.network.name is 'not pii: a mobile network';
create index on catalogue.network (country, plmn);

create table catalogue.coverage (
  operator_id  uuid not null references catalogue.operator (id),
  plmn         text not null references catalogue.network (plmn),
  rats         text[] not null check (cardinality(rats) > 0),
  quality      smallint not null check (quality between 1 and 5),
  typical_mbps integer check (typical_mbps > 0),
  primary key (operator_id, plmn)
);
create index on catalogue.coverage (plmn);

alter table catalogue.plan add column kind text not null default 'single' check (kind in ('single', 'regional', 'global'));
alter table catalogue.plan add column region text;
alter table catalogue.plan add column top_ups jsonb not null default '[]';
alter table catalogue.plan add column hotspot boolean not null default true;
alter table catalogue.plan add column speed jsonb not null default '{"maxMbps": null, "afterAllowanceKbps": null}';
-- The shop's order: the lowest first.
alter table catalogue.plan add column position integer not null default 1000 check (position >= 0);
-- Where it is found: its countries and its region, one index for both.
alter table catalogue.plan add column places text[] not null generated always as (case when region is null then countries else countries || region end) stored;
update catalogue.plan set kind = 'regional' where cardinality(countries) > 1;

drop index catalogue.plan_countries_idx;
create index on catalogue.plan using gin (places) where on_sale;
create index on catalogue.plan (position, slug) where on_sale;
create index on catalogue.plan (operator_id, position, slug) where on_sale;
create index on catalogue.plan (data_bytes) where on_sale;

create table catalogue.device (
  model text primary key check (model ~ '^[a-z0-9-]{2,80}$'),
  brand text not null,
  name  text not null,
  also  text[] not null default '{}',
  esim  text not null check (esim in ('yes', 'no', 'depends')),
  rats  text[] not null,
  note  jsonb
);
comment on column catalogue.device.name is 'not pii: a device model';
comment on column catalogue.device.note is 'not pii: about a device model';

create table catalogue.device_term (
  term  text collate "C" not null,
  model text not null references catalogue.device (model) on delete cascade,
  primary key (term, model)
);
create index on catalogue.device_term (model);

-- Which data came in at a start, so that the next start need not bring it again.
create table catalogue.seeding (
  what   text primary key,
  digest text not null,
  at     timestamptz not null
);

comment on column catalogue.plan.top_ups is 'not pii: what the plan can be topped up with';
comment on column catalogue.plan.speed is 'not pii: figures of the plan';
