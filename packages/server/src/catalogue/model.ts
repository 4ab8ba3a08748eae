import type { LocalText, Plan, RefundRule, StartRule } from '@yuanyou/contract';

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

/** When the validity period begins, in words. */
export function startText(rule: StartRule): LocalText {
  if (rule.kind === 'purchase') return { en: 'Begins when you buy it.', 'zh-Hans': '购买后立即生效。', 'zh-Hant': '購買後立即生效。' };
  if (rule.kind === 'first-use') {
    return {
      en: `Begins with the first use, which must come within ${rule.withinDays} days.`,
      'zh-Hans': `首次使用时生效，须在 ${rule.withinDays} 天内开始使用。`, 'zh-Hant': `首次使用時生效，須於 ${rule.withinDays} 天內開始使用。`,
    };
  }
  return {
    en: `Begins on a day you choose within ${rule.withinDays} days.`,
    'zh-Hans': `自您选择的日期生效，须在 ${rule.withinDays} 天内。`, 'zh-Hant': `自您選擇的日期生效，須在 ${rule.withinDays} 天內。`,
  };
}

/** When a bought plan's period runs: at once, from a day, or from a first use that must come until `until`. */
export type Validity =
  | { readonly kind: 'running'; readonly from: Date; readonly until: Date }
  | { readonly kind: 'awaits-first-use'; readonly until: Date };

/**
 * The validity period of a plan bought now.
 * @param chosenAt the day the buyer names, where the rule asks for one; undefined otherwise.
 * @returns undefined where a day is missing, not asked for, past or too far.
 */
export function validityOf(rule: StartRule, validityDays: number, boughtAt: Date, chosenAt: Date | undefined): Validity | undefined {
  const after = (from: Date, days: number): Date => new Date(from.getTime() + days * dayMs);
  if ((rule.kind === 'date') !== (chosenAt !== undefined)) return undefined;
  if (rule.kind === 'first-use') return { kind: 'awaits-first-use', until: after(boughtAt, rule.withinDays) };
  const from = chosenAt ?? boughtAt;
  if (from < boughtAt || (rule.kind === 'date' && from > after(boughtAt, rule.withinDays))) return undefined;
  return { kind: 'running', from, until: after(from, validityDays) };
}

/** Why a device will work or not, in words. */
export const deviceReasons = {
  'takes-profiles': { en: 'This model takes profiles.', 'zh-Hans': '该机型支持 eSIM。', 'zh-Hant': '此機型支援 eSIM。' },
  'takes-no-profiles': { en: 'This model takes no profiles.', 'zh-Hans': '该机型不支持 eSIM。', 'zh-Hant': '此機型不支援 eSIM。' },
  'depends-on-market': {
    en: 'It depends on the market this device was made for. Dial *#06#: when an EID is shown, it takes profiles.',
    'zh-Hans': '视设备的销售地区版本而定。请拨 *#06#：如显示 EID，即表示支持。', 'zh-Hant': '視裝置的銷售地區版本而定。請撥 *#06#：若顯示 EID，即表示支援。',
  },
  'not-in-list': {
    en: 'We do not know this device. Dial *#06#: when an EID is shown, it takes profiles.',
    'zh-Hans': '我们的列表中没有该设备。请拨 *#06#：如显示 EID，即表示支持。', 'zh-Hant': '我們的清單中沒有此裝置。請撥 *#06#：若顯示 EID，即表示支援。',
  },
  'has-eid': { en: 'The device has an EID, so it takes profiles.', 'zh-Hans': '设备有 EID，支持 eSIM。', 'zh-Hant': '裝置有 EID，支援 eSIM。' },
  'wrong-eid': {
    en: 'This is not a complete EID: it has 32 digits. Please read it again.',
    'zh-Hans': '这不是完整的 EID（共 32 位数字），请重新核对。', 'zh-Hant': '這不是完整的 EID（共 32 位數字），請重新核對。',
  },
  'no-common-network': {
    en: 'The device and the networks there have no radio access in common.', 'zh-Hans': '设备与当地网络没有共同的网络制式。', 'zh-Hant': '裝置與當地網路沒有共同的網路制式。',
  },
  'slower-than-network': {
    en: 'The networks there offer 5G, which this device does not use; it works at 4G.',
    'zh-Hans': '当地网络提供 5G，但该设备不支持，将以 4G 使用。', 'zh-Hant': '當地網路提供 5G，但此裝置不支援，將以 4G 使用。',
  },
  unlock: {
    en: 'It must not be locked to one operator’s network.', 'zh-Hans': '设备不能有运营商网络锁。', 'zh-Hant': '裝置不能有電信業者網路鎖。',
  },
} as const satisfies Record<string, LocalText>;

export type DeviceReason = keyof typeof deviceReasons;
