import { z } from 'zod';
import type { EventType } from '../platform/jobs/types.ts';

/** Money came in and stands on the balance. */
export const paymentCaptured: EventType<{ paymentId: string; accountId: string; amountMinor: number; currency: string }> = {
  name: 'payments.captured',
  body: z.object({ paymentId: z.uuid(), accountId: z.uuid(), amountMinor: z.int(), currency: z.string() }),
};

/** A refund came to its end; `failed` means the money is on the balance again, also after it had counted as paid. */
export const refundSettled: EventType<{ refundId: string; paymentId: string; accountId: string; outcome: 'succeeded' | 'failed' }> = {
  name: 'payments.refund-settled',
  body: z.object({ refundId: z.uuid(), paymentId: z.uuid(), accountId: z.uuid(), outcome: z.enum(['succeeded', 'failed']) }),
};

/** The gateway told us to look at something. */
export const gatewayTold: EventType<{ intentId?: string | undefined; gatewayRefundId?: string | undefined }> = {
  name: 'payments.gateway-told',
  body: z.object({ intentId: z.string().max(255).optional(), gatewayRefundId: z.string().max(255).optional() }),
};
