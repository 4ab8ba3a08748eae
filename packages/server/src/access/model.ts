import { permissionsOf } from '@yuanyou/contract';
import type { Permission, Role } from '@yuanyou/contract';

export type AgentState = 'invited' | 'active' | 'disabled';

/** An agent as the row says, still sealed. */
export interface AgentRow {
  readonly id: string;
  readonly state: AgentState;
  readonly email: Buffer;
  readonly name: Buffer;
  readonly roles: readonly Role[];
  readonly passwordHash: string | null;
  readonly createdAt: Date;
}

export interface ApiKeyRow {
  readonly id: string;
  readonly agentId: string;
  readonly name: string;
  readonly scopes: readonly Permission[];
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly revokedAt: Date | null;
}

const minuteMs = 60_000;
const dayMs = 86_400_000;

export const limits = {
  signInOfAgent: { max: 10, windowMs: 15 * minuteMs },
  signInFromAddress: { max: 30, windowMs: 15 * minuteMs },
  challengeFromAddress: { max: 120, windowMs: 15 * minuteMs },
  invitationFromAddress: { max: 20, windowMs: 60 * minuteMs },
} as const;

/** An agent's session ends with the working day. */
export const sessionLifeMs = dayMs / 2;
export const seenEveryMs = 5 * minuteMs;
export const invitationLifeMs = 3 * dayMs;
export const keyLifeMs = 365 * dayMs;
export const challengeLifeMs = 5 * minuteMs;
export const mostPasskeys = 20;
/** An approval is given within a day, and used within a day. */
export const approvalLifeMs = dayMs;
export const forgetAfterMs = 365 * dayMs;

export const prefixes = { session: 'ags_', apiKey: 'yak_', invitation: 'inv_' } as const;

export function comparable(email: string): string {
  return email.trim().normalize('NFC').toLowerCase();
}

/** What a key may do now: its scopes, as far as the agent who made it still may do them. */
export function keyPermissions(scopes: readonly Permission[], roles: readonly Role[]): ReadonlySet<Permission> {
  const held = permissionsOf(roles);
  return new Set(scopes.filter((scope) => held.has(scope)));
}

/** The scopes that the maker of a key does not hold. */
export function beyond(scopes: readonly Permission[], held: ReadonlySet<string>): readonly Permission[] {
  return scopes.filter((scope) => !held.has(scope));
}
