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
/** An account was frozen for closure. */
export const accountFrozen: EventType<Body> = { name: 'accounts.frozen', body };
/** A frozen account is as it was before. */
export const accountUnfrozen: EventType<Body> = { name: 'accounts.unfrozen', body };
