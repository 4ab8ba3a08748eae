-- Versions of what one agrees to. The one in force is the latest whose time has come.
create table accounts.document (
  kind         text not null check (kind in ('terms', 'privacy', 'marketing')),
  version      text not null check (version ~ '^[A-Za-z0-9][A-Za-z0-9.-]{0,39}$'),
  url          text not null,
  sha256       bytea not null check (length(sha256) = 32),
  effective_at timestamptz not null,
  primary key (kind, version)
);
create index on accounts.document (kind, effective_at desc);

-- Who agreed to what, and when; a consent taken back is a further row.
create table accounts.consent (
  id         uuid primary key,
  account_id uuid not null references accounts.account (id),
  kind       text not null,
  version    text not null,
  granted    boolean not null,
  at         timestamptz not null,
  foreign key (kind, version) references accounts.document (kind, version)
);
create index on accounts.consent (account_id, id desc);
