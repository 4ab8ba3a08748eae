create schema partners;

create table partners.operator (
  id                      uuid primary key,
  code                    text not null unique check (code ~ '^[a-z0-9-]{2,40}$'),
  name                    text not null check (length(name) between 1 and 120),
  plmns                   text[] not null,
  rest_url                text not null,
  api_key                 bytea not null,
  feed_folder             text not null,
  -- What a gigabyte (10^9 bytes) costs us.
  cost_per_gigabyte_minor bigint not null check (cost_per_gigabyte_minor >= 0),
  currency                text not null check (currency ~ '^[A-Z]{3}$'),
  created_at              timestamptz not null
);
comment on column partners.operator.name is 'not pii: a company';

-- What an operator acknowledged, by our request: no number of a subscriber is kept with it.
create table partners.receipt (
  request_id  text primary key check (length(request_id) between 8 and 200),
  operator_id uuid not null references partners.operator (id),
  call        text not null check (call in ('activate', 'suspend', 'resume', 'terminate', 'forget')),
  reference   text not null check (length(reference) <= 200),
  state       text not null,
  at          timestamptz not null
);
