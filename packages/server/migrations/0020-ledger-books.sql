create schema ledger;

-- Amounts are signed minor units: debit positive, credit negative. A guarded account keeps a running balance
-- and may never be overdrawn; the hot accounts of the house keep none, so that no row is contended.
create table ledger.account (
  code          text primary key check (length(code) between 3 and 120),
  kind          text not null check (kind in ('asset', 'liability', 'revenue', 'expense')),
  currency      text not null check (currency ~ '^[A-Z]{3}$'),
  account_id    uuid,
  guarded       boolean not null,
  balance_minor bigint not null default 0,
  version       bigint not null default 0,
  opened_at     timestamptz not null,
  check (guarded or balance_minor = 0),
  -- A guarded account is a liability towards a traveller: its balance is zero or on the credit side.
  check (not guarded or balance_minor <= 0)
);
create index on ledger.account (account_id) where account_id is not null;

create table ledger.transfer (
  id          text primary key check (length(id) between 3 and 200),
  kind        text not null,
  at          timestamptz not null,
  refs        jsonb not null,
  fingerprint bytea not null
);
create index on ledger.transfer (at, id);

create table ledger.entry (
  entry_no      bigint generated always as identity,
  transfer_id   text not null references ledger.transfer (id),
  account_code  text not null references ledger.account (code),
  amount_minor  bigint not null check (amount_minor <> 0),
  balance_after bigint,
  version_after bigint,
  primary key (entry_no)
);
create index on ledger.entry (account_code, entry_no);
create index on ledger.entry (transfer_id);
create unique index on ledger.entry (account_code, version_after) where version_after is not null;

create function ledger.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'ledger/immutable' using detail = tg_table_name, errcode = 'YL001';
end $$;

create trigger immutable before update or delete or truncate on ledger.transfer for each statement execute function ledger.refuse_change();
create trigger immutable before update or delete or truncate on ledger.entry for each statement execute function ledger.refuse_change();

create function ledger.check_zero_sum() returns trigger language plpgsql as $$
begin
  if exists (
    select 1
      from ledger.entry e join ledger.account a on a.code = e.account_code
     where e.transfer_id in (select transfer_id from added)
     group by e.transfer_id
    having sum(e.amount_minor) <> 0 or count(*) < 2 or count(distinct a.currency) > 1
  ) then
    raise exception 'ledger/unbalanced' using errcode = 'YL002';
  end if;
  return null;
end $$;

create trigger zero_sum after insert on ledger.entry
  referencing new table as added for each statement execute function ledger.check_zero_sum();

-- The one function that writes transfers. Answers true when it posted, false when the same transfer stood already.
create function ledger.post(p_id text, p_kind text, p_at timestamptz, p_refs jsonb, p_codes text[], p_amounts bigint[])
returns boolean language plpgsql as $$
declare
  v_fingerprint bytea := sha256(convert_to(p_kind || '|' || array_to_string(p_codes, ',') || '|' || array_to_string(p_amounts, ','), 'UTF8'));
  v_known bytea;
  v_over text;
  v_missing text;
begin
  insert into ledger.transfer (id, kind, at, refs, fingerprint) values (p_id, p_kind, p_at, p_refs, v_fingerprint)
  on conflict (id) do nothing;
  if not found then
    select fingerprint into v_known from ledger.transfer where id = p_id;
    if v_known is distinct from v_fingerprint then
      raise exception 'ledger/id-reused' using detail = p_id, errcode = 'YL003';
    end if;
    return false;
  end if;

  select c into v_missing from unnest(p_codes) c where not exists (select 1 from ledger.account a where a.code = c) limit 1;
  if v_missing is not null then
    raise exception 'ledger/no-account' using detail = v_missing, errcode = 'YL004';
  end if;

  -- Locks in the order of the codes, so that two transfers over the same accounts cannot wait for each other.
  perform 1 from ledger.account where code = any (p_codes) and guarded order by code for update;

  select a.code into v_over
    from ledger.account a
    join (select c, sum(m) m from unnest(p_codes, p_amounts) as u (c, m) group by c) s on s.c = a.code
   where a.guarded and a.balance_minor + s.m > 0
   order by a.code limit 1;
  if v_over is not null then
    raise exception 'ledger/overdraft' using detail = v_over, errcode = 'YL005';
  end if;

  update ledger.account a
     set balance_minor = a.balance_minor + s.m, version = a.version + 1
    from (select c, sum(m) m from unnest(p_codes, p_amounts) as u (c, m) group by c) s
   where s.c = a.code and a.guarded;

  insert into ledger.entry (transfer_id, account_code, amount_minor, balance_after, version_after)
  select p_id, a.code, s.m, case when a.guarded then a.balance_minor end, case when a.guarded then a.version end
    from (select c, sum(m)::bigint m, min(o) o from unnest(p_codes, p_amounts) with ordinality as u (c, m, o) group by c) s
    join ledger.account a on a.code = s.c
   order by s.o;
  return true;
end $$;

comment on table ledger.transfer is 'retained: legal-obligation; until=P10Y';
comment on table ledger.account is 'retained: legal-obligation; until=P10Y; entry=ledger.transfer';
comment on column ledger.transfer.refs is 'not pii: internal ids of payments, orders, lines and refunds';
