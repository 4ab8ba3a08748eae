create schema smdp;

create table smdp.download_order (
  profile_id              uuid primary key,
  matching_id             text not null unique,
  state                   text not null check (state in (
    'allocated', 'released', 'downloaded', 'installed', 'enabled', 'disabled', 'deleted', 'error', 'unavailable')),
  iccid                   text not null,
  eid                     text,
  card                    jsonb not null,
  sealed_confirmation     bytea,
  confirmation_tries_left integer not null,
  downloads               integer not null default 0,
  max_downloads           integer not null,
  reinstall               text not null check (reinstall in ('same-euicc', 'any-euicc', 'never')),
  expires_at              timestamptz,
  euicc_otpk              bytea,
  last_sequence           bigint,
  -- Whether the download was told of, or need not be any more.
  told                    boolean not null default true,
  ordered_at              timestamptz not null,
  changed_at              timestamptz not null
);
create index on smdp.download_order (iccid);
create index on smdp.download_order (eid, ordered_at) where eid is not null and state in ('released', 'downloaded', 'error');
create index on smdp.download_order (changed_at) where state in ('deleted', 'unavailable');
create index on smdp.download_order (changed_at) where not told;

comment on column smdp.download_order.iccid is 'pii: class=pseudonymous; ground=contract; deleteAfter=P90D; subject=stock';
comment on column smdp.download_order.eid is 'pii: class=pseudonymous; ground=contract; deleteAfter=P90D; subject=stock';
comment on column smdp.download_order.card is 'not pii: names of provider and profile, network of the owner';
comment on column smdp.download_order.sealed_confirmation is 'not pii: digest of a code of ours';

-- A session is written once its eUICC is authenticated, or refused. No private key is ever stored: one-time keys exist only while a request
-- is answered.
create table smdp.session (
  transaction_id   text primary key check (transaction_id ~ '^[0-9A-F]{32}$'),
  state            text not null check (state in ('authenticated', 'bound', 'ended')),
  chain_ci_key_id  bytea,
  profile_id       uuid,
  eid              text,
  curve            text,
  point            bytea,
  smdp_signature2  bytea,
  expires_at       timestamptz not null,
  check (state = 'ended' or (chain_ci_key_id, profile_id, eid, curve, point, smdp_signature2) is not null)
);
create index on smdp.session (expires_at);
comment on column smdp.session.eid is 'pii: class=pseudonymous; ground=contract; deleteAfter=P90D; subject=stock';

create table smdp.notification (
  eid             text not null,
  sequence_number bigint not null,
  iccid           text not null,
  event           text not null,
  profile_id      uuid,
  details         jsonb,
  received_at     timestamptz not null,
  primary key (eid, sequence_number, iccid)
);
-- Records a notification and applies it to its order in one step. One that came before fails, so that what is told of it is taken back; the
-- error names no number of the phone's.
create function smdp.apply_notification(
  p_eid text, p_sequence_number bigint, p_iccid text, p_event text, p_profile_id uuid, p_details jsonb, p_at timestamptz, p_state text, p_next_eid text
) returns void language plpgsql as $$
begin
  insert into smdp.notification (eid, sequence_number, iccid, event, profile_id, details, received_at)
  values (p_eid, p_sequence_number, p_iccid, p_event, p_profile_id, p_details, p_at) on conflict do nothing;
  if not found then
    raise unique_violation using message = 'a notification came before', constraint = 'notification_pkey';
  end if;
  update smdp.download_order set state = p_state, eid = p_next_eid, last_sequence = p_sequence_number, told = true, changed_at = p_at
  where profile_id = p_profile_id;
end $$;
create index on smdp.notification (received_at);
comment on column smdp.notification.eid is 'pii: class=pseudonymous; ground=contract; deleteAfter=P90D; subject=stock';
comment on column smdp.notification.iccid is 'pii: class=pseudonymous; ground=contract; deleteAfter=P90D; subject=stock';

comment on table smdp.download_order is 'retained: legitimate-interest; until=P90D';
comment on column smdp.notification.details is 'not pii: which command of an installation failed, and why';
