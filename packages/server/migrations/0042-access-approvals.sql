-- What two persons must agree to, by kind; a kind that is not here needs one.
create table access.approval_rule (
  kind       text primary key,
  changed_by uuid not null,
  changed_at timestamptz not null
);

-- An act that one agent asks for and another must agree to before it may be done, once.
create table access.approval (
  id             uuid primary key,
  kind           text not null,
  permission     text not null,
  subject_kind   text not null,
  subject_id     text not null,
  details        jsonb not null,
  details_digest bytea not null check (length(details_digest) = 32),
  state          text not null check (state in ('pending', 'approved', 'refused', 'used', 'expired')),
  asked_by       uuid not null,
  asked_at       timestamptz not null,
  decided_by     uuid,
  decided_at     timestamptz,
  decision_text  text check (length(decision_text) <= 500),
  used_by        uuid,
  used_at        timestamptz,
  expires_at     timestamptz not null,
  -- Whoever asked never agrees to it.
  check (decided_by is null or decided_by <> asked_by),
  check ((decided_by is null) = (decided_at is null)),
  check (state not in ('approved', 'refused', 'used') or decided_by is not null),
  check ((state = 'used') = (used_at is not null))
);
-- The same act is asked for once at a time.
create unique index approval_open on access.approval (kind, subject_kind, subject_id, details_digest) where state in ('pending', 'approved');
create index on access.approval (state, id desc);
create index on access.approval (expires_at) where state in ('pending', 'approved');
comment on column access.approval.decision_text is 'not pii: an agent gives reasons by ids and states, as in the audit';
comment on column access.approval.details is 'not pii: ids, states and amounts of an act, as in the audit';
