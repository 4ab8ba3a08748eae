import type { Language } from '@yuanyou/contract';
import { defineMessage } from '../notifications/index.ts';
import type { Notifications } from '../notifications/index.ts';
import type { Transactor, Tx } from '../platform/db/index.ts';
import * as store from './store.ts';

/** Where an account is reached. */
export interface ContactPoints {
  /** Whether it is neither leaving nor closed; it stays so until the transaction ends. */
  isActive(tx: Tx, accountId: string): Promise<boolean>;
  /** Undefined once it has left. */
  contactPoint(accountId: string): Promise<{ readonly email: string; readonly name: string; readonly language: Language } | undefined>;
}

const threshold = defineMessage<{ readonly percent: number }>({
  kind: 'usage.threshold',
  render: {
    en: ({ percent }) => percent >= 100
      ? { subject: 'Your data is used up', text: 'The data of your plan is used up. You can top up or buy another plan at any time.' }
      : { subject: `${percent}% of your data is used`, text: `You have used ${percent}% of the data of your plan.` },
    'zh-Hans': ({ percent }) => percent >= 100
      ? { subject: '您的流量已用完', text: '您套餐内的流量已用完。您可以随时充值或购买新的套餐。' }
      : { subject: `您的流量已使用 ${percent}%`, text: `您已使用套餐流量的 ${percent}%。` },
    'zh-Hant': ({ percent }) => percent >= 100
      ? { subject: '您的數據已用完', text: '您方案內的數據已用完。您可以隨時加值或購買新的方案。' }
      : { subject: `您的數據已使用 ${percent}%`, text: `您已使用方案數據的 ${percent}%。` },
  },
});

/** Tells the traveller once that a threshold was reached; who is leaving hears of nothing but the closure. */
export async function tellThreshold(
  deps: { readonly db: Transactor; readonly accounts: ContactPoints; readonly notifications: Pick<Notifications, 'queue'> },
  reached: { readonly lineId: string; readonly accountId: string; readonly allowanceId: string; readonly percent: number },
): Promise<void> {
  const to = await deps.accounts.contactPoint(reached.accountId);
  if (to === undefined) return;
  const message = await deps.notifications.queue({
    subjectId: reached.accountId, to: { email: to.email }, language: to.language, kind: threshold, params: { percent: reached.percent },
  });
  await deps.db.transaction(async (tx) => {
    if (!await deps.accounts.isActive(tx, reached.accountId)) return;
    if (await store.claimMessage(tx, reached.lineId, reached.allowanceId, reached.percent)) await message.save(tx);
  });
}
