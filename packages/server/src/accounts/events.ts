import { z } from 'zod';
import type { EventType } from '../platform/jobs/types.ts';

const body = z.object({ accountId: z.string() });
type Body = z.infer<typeof body>;

/** An account was opened. */
export const accountSignedUp: EventType<Body> = { name: 'accounts.signed-up', body };
/** The address of an account was confirmed for the first time. */
export const accountEmailVerified: EventType<Body> = { name: 'accounts.email-verified', body };
/** The address of an account changed, after a code sent to the new one was confirmed. */
export const accountEmailChanged: EventType<Body> = { name: 'accounts.email-changed', body };
/** The password of an account changed. */
export const accountPasswordChanged: EventType<Body> = { name: 'accounts.password-changed', body };
/** A guest's account became one that signs in. */
export const accountClaimed: EventType<Body> = { name: 'accounts.claimed', body };
/** An account got or lost a passkey or a second proof. */
export const accountFactorsChanged: EventType<Body> = { name: 'accounts.factors-changed', body };
const asked = z.object({ accountId: z.string(), purpose: z.enum(['reset', 'claim']) });
/** Somebody asked for a code by mail; emitted as well where there is no such account, so that both take alike. */
export const accountCodeAsked: EventType<z.infer<typeof asked>> = { name: 'accounts.code-asked', body: asked };
/** An account was frozen for closure. */
export const accountFrozen: EventType<Body> = { name: 'accounts.frozen', body };
/** A frozen account is as it was before. */
export const accountUnfrozen: EventType<Body> = { name: 'accounts.unfrozen', body };
