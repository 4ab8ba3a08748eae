import type { LocalText, Plan, RefundRule } from '@yuanyou/contract';

export type { LocalText, Plan, RefundRule, StartRule } from '@yuanyou/contract';

/** The texts of a plan that people wrote; the refund text follows from the rule. */
export interface PlanWording {
  readonly name: LocalText;
  readonly description: LocalText;
}

const dayMs = 86_400_000;

/** The price of a plan in a currency, in minor units; undefined where it is not sold in that currency. */
export function priceOf(plan: Pick<Plan, 'prices'>, currency: string): number | undefined {
  return plan.prices.find((price) => price.currency === currency)?.amountMinor;
}

/**
 * What of a plan's price goes back when it ends before its time, in minor units; a fraction is rounded up, to the traveller's good.
 * @param paidMinor what was paid for it.
 */
export function refundMinor(
  rule: RefundRule, paidMinor: bigint, totalBytes: bigint, unusedBytes: bigint, boughtAt: Date, endsAt: Date,
): bigint {
  if (rule.kind === 'none' || paidMinor <= 0n || totalBytes <= 0n || unusedBytes <= 0n) return 0n;
  if (endsAt.getTime() - boughtAt.getTime() > rule.withinDays * dayMs) return 0n;
  if (unusedBytes >= totalBytes) return paidMinor;
  return (paidMinor * unusedBytes + totalBytes - 1n) / totalBytes;
}

/** The refund rule in words; the data decides, the words follow from it. */
export function refundText(rule: RefundRule): LocalText {
  if (rule.kind === 'none') return { en: 'No refund once bought.', 'zh-Hans': '购买后不退款。', 'zh-Hant': '購買後不退款。' };
  return {
    en: `Cancel within ${rule.withinDays} days of buying and the unused part is refunded.`,
    'zh-Hans': `购买后 ${rule.withinDays} 天内取消，未使用的部分按比例退款。`,
    'zh-Hant': `購買後 ${rule.withinDays} 天內取消，未使用的部分按比例退款。`,
  };
}
