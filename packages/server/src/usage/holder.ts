import type { SubjectHolder } from '../platform/subject/index.ts';
import { settlement } from './model.ts';
import * as store from './store.ts';

/** What usage keeps of an account; `now` tells what an allowance would return if it ended now. */
export function usageHolder(now: () => Date): SubjectHolder {
  return {
    slice: 'usage',
    closureConcerns: async (db, accountId) =>
      (await store.allowancesOfAccount(db, accountId)).flatMap((a) => {
        if (!['active', 'queued'].includes(a.state)) return [];
        const { cashMinor, promoMinor } = settlement(a, now());
        const returned = cashMinor + promoMinor;
        return [{
          code: returned > 0n ? 'usage/unused-returned' : 'usage/unused-not-returned',
          severity: 'info' as const,
          title: returned > 0n
            ? { en: 'Unused data of this plan comes back to your balance by the plan’s rule', 'zh-Hans': '此套餐未用部分按套餐规则退回余额', 'zh-Hant': '此方案未用部分依方案規則退回餘額' }
            : { en: 'By its published rule this plan returns nothing for unused data', 'zh-Hans': '按公布的规则，此套餐未用部分不退', 'zh-Hant': '依公布的規則，此方案未用部分不退' },
          amount: { amountMinor: Number(returned), currency: a.currency },
          owner: 'system' as const,
          about: { lineId: a.lineId, usedBytes: Number(a.usedBytes), totalBytes: Number(a.totalBytes) },
        }];
      }),
    exportData: async (db, accountId) => {
      const allowances = await store.allowancesOfAccount(db, accountId);
      const days = [];
      for (const lineId of new Set(allowances.map((a) => a.lineId))) {
        const rows = await store.usageByDay(db, lineId, null, 400);
        days.push(...rows.map((row) => ({ lineId, day: row.day, network: row.plmn, bytes: Number(row.bytes) })));
      }
      return [
        {
          name: 'allowances',
          rows: allowances.map((a) => ({
            allowanceId: a.allowanceId, lineId: a.lineId, state: a.state, totalBytes: Number(a.totalBytes), usedBytes: Number(a.usedBytes),
            validFrom: a.validFrom.toISOString(), validUntil: a.validUntil.toISOString(),
          })),
        },
        { name: 'usage', rows: days },
      ];
    },
    // Records carry the line's internal id alone, which leads to nobody once lines has let go of the ICCID and accounts of the account.
    erase: async (db, accountId) => ({ erased: {}, kept: { allowances: (await store.allowancesOfAccount(db, accountId)).length } }),
  };
}
