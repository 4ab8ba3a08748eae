import { z } from 'zod';

/** ISO 4217 code, upper case. */
export const currency = z.string().regex(/^[A-Z]{3}$/).meta({ example: 'EUR' });

/** An amount of money in minor units (cents). JSON carries it as an integer within 2^53. */
export const money = z.object({
  amountMinor: z.int(),
  currency,
}).meta({ id: 'Money' });

export type Money = z.infer<typeof money>;
