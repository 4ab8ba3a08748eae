import type { Reader } from '../platform/db/types.ts';
import type { Concern, ExportFile, SubjectHolder } from '../platform/subject/index.ts';
import { deleteConsents, listConsents } from './consents/store.ts';
import { listContacts } from './contacts.ts';
import type { AccountsDeps } from './deps.ts';
import { listPasskeys } from './factors/passkeys.ts';
import { countPasskeys } from './factors/store.ts';
import { eraseFactors, protectionOf } from './factors/step-up.ts';
import { openProfile } from './profile.ts';
import type { Sealing } from './sealing.ts';
import { listSessions } from './sessions.ts';
import * as store from './store.ts';

const batch = 100;
const mostConsents = 10_000;

/** What accounts keeps of a person: the account itself, where it is signed in, the contacts. */
export function accountsHolder(deps: AccountsDeps, sealing: Sealing): SubjectHolder {
  return {
    slice: 'accounts',
    closureConcerns: (db, accountId) => concerns(deps, db, accountId),
    exportData: (db, accountId) => exportData(deps, sealing, db, accountId),
    async erase(tx, accountId) {
      await store.lockAccount(tx, accountId);
      const contacts = await store.deleteContacts(tx, accountId);
      const sessions = await store.deleteSessions(tx, accountId, null);
      const codes = await store.deleteVerification(tx, accountId) + await store.deleteMailedCodes(tx, accountId);
      const consents = await deleteConsents(tx, accountId);
      const factors = await eraseFactors(tx, accountId);
      const accounts = await store.closeAccount(tx, accountId, deps.clock.now());
      return { erased: { accounts, contacts, sessions, codes, consents, ...factors }, kept: { tombstones: 1 } };
    },
  };
}

async function concerns(deps: AccountsDeps, db: Reader, accountId: string): Promise<Concern[]> {
  const contacts = await store.countContacts(db, accountId);
  const sessions = await store.countSessions(db, accountId, deps.clock.now());
  const found: Concern[] = [{
    code: 'accounts/profile', severity: 'info', owner: 'system', fix: { operationId: 'getAccount' },
    title: {
      en: 'Your name, address and settings will be erased', 'zh-Hans': '您的姓名、邮箱和设置将被清除', 'zh-Hant': '您的姓名、電子郵件與設定將被清除',
    },
  }];
  if (contacts > 0) {
    found.push({
      code: 'accounts/contacts', severity: 'choice', owner: 'traveller', fix: { operationId: 'listContacts' }, about: { contacts },
      title: {
        en: 'Your contacts will be erased: take them with you first', 'zh-Hans': '您的联系人将被清除：请先导出带走', 'zh-Hant': '您的聯絡人將被清除：請先匯出帶走',
      },
    });
  }
  const passkeys = await countPasskeys(db, accountId);
  if (passkeys > 0) {
    found.push({
      code: 'accounts/passkeys', severity: 'info', owner: 'traveller', fix: { operationId: 'getFactors' }, about: { passkeys },
      title: {
        en: 'Your passkeys will stop working: remove them from your devices afterwards', 'zh-Hans': '您的通行密钥将失效：之后请从设备中删除',
        'zh-Hant': '您的通行金鑰將失效：之後請從裝置中刪除',
      },
    });
  }
  if (sessions > 0) {
    found.push({
      code: 'accounts/sessions', severity: 'info', owner: 'system', fix: { operationId: 'listSessions' }, about: { sessions },
      title: { en: 'You will be signed out everywhere', 'zh-Hans': '您将在所有设备上退出登录', 'zh-Hant': '您將在所有裝置上登出' },
    });
  }
  return found;
}

async function exportData(deps: AccountsDeps, sealing: Sealing, db: Reader, accountId: string): Promise<ExportFile[]> {
  const row = await store.findAccount(db, accountId);
  if (row === undefined) return [];
  const profile = await openProfile(sealing, row);
  const { oneTimeCodesSince, recoveryCodesLeft } = await protectionOf(db, row);
  return [
    {
      name: 'account',
      rows: [{
        id: profile.id, email: profile.email, emailVerified: profile.emailVerified, name: profile.name, language: profile.language,
        country: profile.country, createdAt: profile.createdAt.toISOString(), passwordChangedAt: profile.passwordChangedAt?.toISOString() ?? null,
        emailChangedAt: profile.emailChangedAt?.toISOString() ?? null, guest: profile.guest,
        oneTimeCodesSince: oneTimeCodesSince?.toISOString() ?? null, recoveryCodesLeft,
      }],
    },
    { name: 'contacts', rows: await contactRows(sealing, db, accountId) },
    { name: 'sessions', rows: await sessionRows(deps, sealing, db, accountId) },
    { name: 'passkeys', rows: await passkeyRows(sealing, db, accountId) },
    { name: 'consents', rows: await consentRows(db, accountId) },
  ];
}

async function contactRows(sealing: Sealing, db: Reader, accountId: string): Promise<ExportFile['rows']> {
  const rows: ExportFile['rows'][number][] = [];
  for (let after: { at: Date; id: string } | null = null; ;) {
    const some = await listContacts(sealing, db, accountId, after, batch);
    rows.push(...some.map(({ id, name, phone, email, note, createdAt }) => ({ id, name, phone, email, note, createdAt: createdAt.toISOString() })));
    const last = some.at(-1);
    if (last === undefined || some.length < batch) return rows;
    after = { at: last.createdAt, id: last.id };
  }
}

async function sessionRows(deps: AccountsDeps, sealing: Sealing, db: Reader, accountId: string): Promise<ExportFile['rows']> {
  const rows: ExportFile['rows'][number][] = [];
  for (let before: string | null = null; ;) {
    const some = await listSessions(deps, sealing, db, accountId, before, batch);
    rows.push(...some.map(({ id, name, device, address, createdAt, lastSeenAt }) => ({
      id, name, device, address, createdAt: createdAt.toISOString(), lastSeenAt: lastSeenAt.toISOString(),
    })));
    before = some.at(-1)?.id ?? null;
    if (some.length < batch) return rows;
  }
}

async function passkeyRows(sealing: Sealing, db: Reader, accountId: string): Promise<ExportFile['rows']> {
  return (await listPasskeys(sealing, db, accountId)).map(({ id, name, credential, backedUp, createdAt, lastUsedAt }) => ({
    id, name, credentialId: credential.credentialId, backedUp, createdAt: createdAt.toISOString(), lastUsedAt: lastUsedAt?.toISOString() ?? null,
  }));
}

async function consentRows(db: Reader, accountId: string): Promise<ExportFile['rows']> {
  return (await listConsents(db, accountId, mostConsents)).map(({ id, kind, version, granted, at }) => ({ id, kind, version, granted, at: at.toISOString() }));
}
