import { sql } from '../platform/db/index.ts';
import type { Reader, Tx } from '../platform/db/index.ts';
import type { Actor } from '../platform/audit/types.ts';
import { newId } from '../platform/ids.ts';
import type { Change, Line } from './model.ts';

const columns = sql`line_id as "lineId", account_id as "accountId", plan_id as "planId", operator_id as "operatorId", profile_id as "profileId",
  delivery, service, iccid, device_id as "deviceId", created_at as "createdAt", activated_at as "activatedAt", terminated_at as "terminatedAt"`;

export async function insertLine(tx: Tx, line: Line): Promise<void> {
  await tx.run(sql`
    insert into lines.line (line_id, account_id, plan_id, operator_id, profile_id, delivery, service, iccid, created_at)
    values (${line.lineId}, ${line.accountId}, ${line.planId}, ${line.operatorId}, ${line.profileId}, ${line.delivery}, ${line.service}, ${line.iccid}, ${line.createdAt})`);
}

export function findLine(db: Reader, lineId: string): Promise<Line | undefined> {
  return db.maybe<Line>(sql`select ${columns} from lines.line where line_id = ${lineId}`);
}

export function lockLine(tx: Tx, lineId: string): Promise<Line | undefined> {
  return tx.maybe<Line>(sql`select ${columns} from lines.line where line_id = ${lineId} for update`);
}

/** A profile may serve several lines over the years; the latest is the living one. */
export function lockLineOfProfile(tx: Tx, profileId: string): Promise<Line | undefined> {
  return tx.maybe<Line>(sql`select ${columns} from lines.line where profile_id = ${profileId} order by line_id desc limit 1 for update`);
}

export function linesOf(db: Reader, accountId: string, before: string | null, limit: number): Promise<Line[]> {
  return db.all<Line>(sql`
    select ${columns} from lines.line
     where account_id = ${accountId} and (${before}::uuid is null or line_id < ${before}::uuid)
     order by line_id desc limit ${limit}`);
}

/** Lines by ICCID, the latest of each. */
export function linesByProfile(db: Reader, profileIds: readonly string[]): Promise<Line[]> {
  return db.all<Line>(sql`
    select distinct on (profile_id) ${columns} from lines.line where profile_id = any(${profileIds}::uuid[]) order by profile_id, line_id desc`);
}

export function saveChange(tx: Tx, line: Line, change: Change, at: Date, actor: Actor, reason: string | null): void {
  tx.send(change.axis === 'service'
    ? sql`update lines.line set service = ${change.to},
            activated_at = case when ${change.to} = 'active' then coalesce(activated_at, ${at}) else activated_at end,
            terminated_at = case when ${change.to} = 'terminated' then ${at} else terminated_at end
           where line_id = ${line.lineId}`
    : sql`update lines.line set delivery = ${change.to} where line_id = ${line.lineId}`);
  tx.send(sql`
    insert into lines.change (line_id, change_id, at, axis, from_state, to_state, by_kind, by_id, reason)
    values (${line.lineId}, ${newId(at.getTime())}, ${at}, ${change.axis}, ${change.from}, ${change.to}, ${actor.kind}, ${actor.id}, ${reason})`);
}

export interface ChangeRow {
  readonly changeId: string;
  readonly at: Date;
  readonly axis: 'delivery' | 'service';
  readonly fromState: string | null;
  readonly toState: string;
  readonly byKind: 'account' | 'agent' | 'operator' | 'device' | 'system';
  readonly reason: string | null;
}

export function changesOf(db: Reader, lineId: string, before: string | null, limit: number): Promise<ChangeRow[]> {
  return db.all<ChangeRow>(sql`
    select change_id as "changeId", at, axis, from_state as "fromState", to_state as "toState", by_kind as "byKind", reason
      from lines.change
     where line_id = ${lineId} and (${before}::uuid is null or change_id < ${before}::uuid)
     order by change_id desc limit ${limit}`);
}

export function linkDevice(tx: Tx, line: Line, eid: string, at: Date): void {
  tx.send(sql`
    with seen as (
      insert into lines.device (device_id, account_id, eid, first_seen_at) values (${newId(at.getTime())}, ${line.accountId}, ${eid}, ${at})
      on conflict (account_id, eid) do update set eid = excluded.eid
      returning device_id
    )
    update lines.line set device_id = seen.device_id from seen where line_id = ${line.lineId}`);
}

export interface DeviceRow {
  readonly deviceId: string;
  readonly eid: string;
  readonly firstSeenAt: Date;
  readonly lineId: string | null;
  readonly delivery: Line['delivery'] | null;
}

/** The account's devices with the lines they hold; an account has few, so the list is bounded instead of paged. */
export function devicesOf(db: Reader, accountId: string): Promise<DeviceRow[]> {
  return db.all<DeviceRow>(sql`
    select d.device_id as "deviceId", d.eid, d.first_seen_at as "firstSeenAt", l.line_id as "lineId", l.delivery
      from (select * from lines.device where account_id = ${accountId} order by device_id limit 100) d
      left join lines.line l on l.device_id = d.device_id
     order by d.device_id, l.line_id limit 1000`);
}

/** Removes what identifies a phone or a profile; the states and times stay for the certificate and the books. */
export async function eraseOf(tx: Tx, accountId: string): Promise<{ iccids: number; devices: number }> {
  const iccids = await tx.run(sql`update lines.line set iccid = null, device_id = null where account_id = ${accountId} and (iccid is not null or device_id is not null)`);
  const devices = await tx.run(sql`delete from lines.device where account_id = ${accountId}`);
  return { iccids, devices };
}
