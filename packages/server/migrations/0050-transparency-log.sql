create schema transparency;

-- One row per log of ours; its head is locked by whoever sequences.
create table transparency.log (
  log_id integer generated always as identity primary key,
  origin text not null unique,
  vkey text not null,
  size bigint not null check (size >= 0),
  root bytea not null check (octet_length(root) = 32),
  -- The signed note over this size and root.
  checkpoint text not null,
  opened_at timestamptz not null,
  sequenced_at timestamptz not null
);

-- Pending until it has a place. Ids and salted hashes only: nothing here says whose leaf it is.
create table transparency.leaf (
  leaf_id uuid primary key,
  entry bytea not null check (octet_length(entry) = 32),
  arrival bigint generated always as identity,
  appended_at timestamptz not null,
  log_id integer references transparency.log,
  leaf_index bigint check (leaf_index >= 0),
  check ((log_id is null) = (leaf_index is null))
);
create unique index leaf_place on transparency.leaf (log_id, leaf_index) where leaf_index is not null;
create index leaf_pending on transparency.leaf (arrival) where leaf_index is null;

-- Full tiles only: a partial tile is read off the leaves or the roots of the full tiles below it, which never change.
create table transparency.tile (
  log_id integer not null references transparency.log,
  level smallint not null check (level between 0 and 6),
  tile_index bigint not null check (tile_index >= 0),
  hashes bytea not null check (octet_length(hashes) = 8192),
  -- The hash that this tile is in the tile above.
  root bytea not null check (octet_length(root) = 32),
  primary key (log_id, level, tile_index)
);
alter table transparency.tile alter column hashes set storage external;

create function transparency.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'what the log has sequenced never changes' using errcode = 'restrict_violation';
end $$;

create trigger leaf_stays before update or delete on transparency.leaf
  for each row when (old.leaf_index is not null) execute function transparency.refuse_change();
create trigger tile_stays before update or delete on transparency.tile
  for each row execute function transparency.refuse_change();
create trigger log_stays before delete on transparency.log
  for each row execute function transparency.refuse_change();
