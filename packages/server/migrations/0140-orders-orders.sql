create schema orders;

create table orders."order" (
  account_id      uuid not null,
  order_id        uuid not null,
  idempotency_key text not null,
  plan_id         uuid not null,
  line_id         uuid not null unique,
  state           text not null check (state in ('paid', 'fulfilled', 'undone')),
  currency        text not null,
  cash_minor      bigint not null check (cash_minor >= 0),
  promo_minor     bigint not null check (promo_minor >= 0),
  ordered_at      timestamptz not null,
  ended_at        timestamptz,
  primary key (account_id, order_id),
  unique (account_id, idempotency_key)
);
create index on orders."order" (account_id, order_id) where state = 'paid';

comment on table orders."order" is 'retained: legal-obligation; until=P10Y';
