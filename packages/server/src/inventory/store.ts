import type { ProfileState } from '@yuanyou/contract';
import { sql } from '../platform/db/index.ts';
import type { Reader, Tx } from '../platform/db/index.ts';

/** A profile of the stock, without its secrets. */
export interface StockRow {
  readonly profileId: string;
  readonly operatorId: string;
  readonly iccid: string;
  readonly imsi: string;
  readonly msisdn: string | null;
  readonly state: ProfileState;
  readonly changedAt: Date;
}

export interface SealedProfile {
  readonly profileId: string;
  readonly iccid: string;
  readonly imsi: string;
  readonly msisdn: string | null;
  readonly sealedSecrets: Buffer;
}

const shown = sql.raw('id as "profileId", operator_id as "operatorId", iccid, imsi, msisdn, state, changed_at as "changedAt"');

/** Adds profiles; those whose ICCID or IMSI is in the stock already are left out. Answers how many came in. */
export function insertProfiles(tx: Tx, operatorId: string, profiles: readonly SealedProfile[], at: Date): Promise<number> {
  return tx.run(sql`
    insert into inventory.profile (id, operator_id, iccid, imsi, msisdn, state, sealed_secrets, added_at, changed_at)
    select p.id, ${operatorId}::uuid, p.iccid, p.imsi, p.msisdn, 'available', p.sealed, ${at}, ${at}
      from unnest(${profiles.map((p) => p.profileId)}::uuid[], ${profiles.map((p) => p.iccid)}::text[], ${profiles.map((p) => p.imsi)}::text[],
                  ${profiles.map((p) => p.msisdn)}::text[], ${profiles.map((p) => p.sealedSecrets)}::bytea[]) as p (id, iccid, imsi, msisdn, sealed)
    on conflict do nothing`);
}

/** Takes the oldest available profile that no other transaction is taking. */
export function takeAvailable(tx: Tx, operatorId: string, at: Date): Promise<StockRow | undefined> {
  return tx.maybe<StockRow>(sql`
    with picked as materialized (
      select id as picked_id from inventory.profile
       where operator_id = ${operatorId} and state = 'available'
       order by id limit 1 for update skip locked)
    update inventory.profile set state = 'allocated', changed_at = ${at}
      from picked where id = picked.picked_id
    returning ${shown}`);
}

export function profileById(db: Reader, profileId: string): Promise<StockRow | undefined> {
  return db.maybe<StockRow>(sql`select ${shown} from inventory.profile where id = ${profileId}`);
}

/** The living profile with this ICCID. */
export function profileByIccid(db: Reader, iccid: string): Promise<StockRow | undefined> {
  return db.maybe<StockRow>(sql`select ${shown} from inventory.profile where iccid = ${iccid} and state <> 'retired'`);
}

/** The latest profile with each of these ICCIDs, also a retired one: use of it may still arrive. */
export function profilesByIccids(db: Reader, iccids: readonly string[]): Promise<{ iccid: string; profileId: string }[]> {
  return db.all<{ iccid: string; profileId: string }>(sql`
    select distinct on (iccid) iccid, id as "profileId" from inventory.profile where iccid = any(${iccids}::text[])
     order by iccid, (state = 'retired'), id desc`);
}

export function lockState(tx: Tx, profileId: string): Promise<{ state: ProfileState } | undefined> {
  return tx.maybe<{ state: ProfileState }>(sql`select state from inventory.profile where id = ${profileId} for update`);
}

/** Retiring destroys the secrets with the same statement. */
export function setState(tx: Tx, profileId: string, state: ProfileState, at: Date): Promise<number> {
  return tx.run(sql`
    update inventory.profile
       set state = ${state}, changed_at = ${at}, sealed_secrets = case when ${state} = 'retired' then null else sealed_secrets end
     where id = ${profileId}`);
}

/** Sets the state where it is one of those that it may follow. */
export function advance(tx: Tx, profileId: string, state: ProfileState, from: readonly ProfileState[], at: Date): void {
  tx.send(sql`update inventory.profile set state = ${state}, changed_at = ${at} where id = ${profileId}::uuid and state = any(${from}::text[])`);
}

export function sealedProfile(db: Reader, profileId: string): Promise<{ iccid: string; imsi: string; sealed: Buffer | null } | undefined> {
  return db.maybe<{ iccid: string; imsi: string; sealed: Buffer | null }>(sql`
    select iccid, imsi, sealed_secrets as sealed from inventory.profile where id = ${profileId}::uuid`);
}

/** A page of the stock in the order it came in; each filter has an index that it follows. */
export function listProfiles(
  db: Reader, operatorId: string | null, state: ProfileState | null, after: string | null, limit: number,
): Promise<StockRow[]> {
  const from = after ?? '00000000-0000-0000-0000-000000000000';
  if (operatorId !== null && state !== null) {
    return db.all<StockRow>(sql`
      select ${shown} from inventory.profile where operator_id = ${operatorId} and state = ${state} and id > ${from} order by id limit ${limit}`);
  }
  if (operatorId !== null) {
    return db.all<StockRow>(sql`select ${shown} from inventory.profile where operator_id = ${operatorId} and id > ${from} order by id limit ${limit}`);
  }
  if (state !== null) {
    return db.all<StockRow>(sql`select ${shown} from inventory.profile where state = ${state} and id > ${from} order by id limit ${limit}`);
  }
  return db.all<StockRow>(sql`select ${shown} from inventory.profile where id > ${from} order by id limit ${limit}`);
}

export function countByState(db: Reader): Promise<{ operatorId: string; state: ProfileState; profiles: bigint }[]> {
  return db.all(sql`
    select operator_id as "operatorId", state, count(*) as profiles from inventory.profile group by operator_id, state order by operator_id, state`);
}

/** Operators with stock of any state, and how much of it is available, counted up to `limit` so that a large stock costs no more. */
export function availableUpTo(db: Reader, limit: number): Promise<{ operatorId: string; available: number }[]> {
  return db.all(sql`
    with recursive operator (id) as (
      (select operator_id from inventory.profile order by operator_id limit 1)
      union all
      select (select p.operator_id from inventory.profile p where p.operator_id > operator.id order by p.operator_id limit 1)
        from operator where operator.id is not null)
    select operator.id as "operatorId",
           (select count(*)::integer from (
              select from inventory.profile p where p.operator_id = operator.id and p.state = 'available' limit ${limit}) counted) as available
      from operator where operator.id is not null order by operator.id`);
}

/** Which of these numbers living profiles hold. */
export function takenNumbers(db: Reader, iccids: readonly string[], imsis: readonly string[]): Promise<{ iccid: string; imsi: string }[]> {
  return db.all(sql`
    select iccid, imsi from inventory.profile where state <> 'retired' and iccid = any(${iccids}::text[])
    union
    select iccid, imsi from inventory.profile where state <> 'retired' and imsi = any(${imsis}::text[])`);
}

/** Deletes a batch of profiles that were retired before then. */
export function deleteRetired(tx: Tx, before: Date, limit: number): Promise<number> {
  return tx.run(sql`
    delete from inventory.profile where id in (
      select id from inventory.profile where state = 'retired' and changed_at < ${before} order by changed_at limit ${limit} for update skip locked)`);
}
