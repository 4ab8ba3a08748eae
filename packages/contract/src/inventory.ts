import { z } from 'zod';
import { id, instant, page, paging } from './core/ids.ts';
import { problems } from './core/problem.ts';
import { route } from './core/route.ts';

/** Where a profile of the stock is between its making and its end. */
export const profileState = z.enum(['available', 'allocated', 'released', 'downloaded', 'installed', 'deleted', 'retired']);

export type ProfileState = z.infer<typeof profileState>;

/** Which states may follow each other; server and clients read this one table. */
export const profileSteps: Readonly<Record<ProfileState, readonly ProfileState[]>> = {
  available: ['allocated', 'retired'],
  // Back to the stock only while no phone has seen it.
  allocated: ['released', 'available', 'retired'],
  released: ['downloaded', 'installed', 'allocated', 'available', 'retired'],
  // Released again: the download broke before the installation, or the profile is installed anew on another phone.
  downloaded: ['installed', 'released', 'deleted', 'retired'],
  installed: ['deleted', 'retired'],
  deleted: ['released', 'downloaded', 'installed', 'retired'],
  retired: [],
};

/** A profile of the stock as agents see it: its keys never leave the server by this road. */
export const stockProfile = z.object({
  profileId: id,
  operatorId: id,
  iccid: z.string().regex(/^\d{19,20}$/).meta({ example: '8999901000000000013' }),
  imsi: z.string().regex(/^\d{14,15}$/),
  msisdn: z.string().nullable(),
  state: profileState,
  changedAt: instant,
}).meta({ id: 'StockProfile' });

/** How many profiles of an operator are in each state, and whether the stock runs low. */
export const stockCount = z.object({
  operatorId: id,
  counts: z.record(profileState, z.int().nonnegative()),
  low: z.boolean(),
}).meta({ id: 'StockCount' });

/** One thing wrong in a file to import; `line` counts from 1 and includes the header. */
export const importFault = z.object({
  line: z.int().positive(),
  column: z.string().nullable(),
  fault: z.enum([
    'unreadable', 'missing-column', 'unknown-column', 'too-many-rows', 'bad-iccid', 'bad-check-digit', 'bad-imsi', 'bad-msisdn', 'bad-ki', 'bad-opc',
    'bad-pin1', 'bad-puk1', 'bad-adm1', 'repeated-iccid', 'repeated-imsi', 'taken-iccid', 'taken-imsi',
  ]),
}).meta({ id: 'ImportFault' });

export type ImportFault = z.infer<typeof importFault>;

/** What an import did, or would do in a dry run. Nothing is imported when there is any fault. */
export const importReport = z.object({
  dryRun: z.boolean(),
  rows: z.int().nonnegative(),
  imported: z.int().nonnegative(),
  faults: z.array(importFault),
  /** More faults than the list holds. */
  moreFaults: z.int().nonnegative(),
}).meta({ id: 'ImportReport' });

export type ImportReport = z.infer<typeof importReport>;

export const inventoryRoutes = {
  listStock: route({
    operationId: 'listStock', method: 'GET', path: '/v1/stock/profiles', tag: 'Stock', audience: 'agent', permission: 'inventory:read',
    summary: 'Profiles of the stock, oldest first',
    query: paging.extend({ operatorId: id.optional(), state: profileState.optional() }),
    responses: { 200: page(stockProfile) },
  }),
  countStock: route({
    operationId: 'countStock', method: 'GET', path: '/v1/stock/counts', tag: 'Stock', audience: 'agent', permission: 'inventory:read',
    summary: 'Profiles by operator and state, and which operators run low', responses: { 200: z.object({ counts: z.array(stockCount) }) },
  }),
  importStock: route({
    operationId: 'importStock', method: 'POST', path: '/v1/stock/imports', tag: 'Stock', audience: 'agent', permission: 'inventory:write', idempotent: true,
    summary: 'Imports profiles from CSV (iccid, imsi, msisdn, ki, opc, pin1, puk1, adm1); a dry run lists every fault with its line',
    body: z.strictObject({
      operatorId: id,
      csv: z.string().max(4_000_000),
      dryRun: z.boolean().default(true),
    }),
    responses: { 200: importReport },
    problems: ['inventory/taken'],
  }),
} as const;

export const inventoryProblems = problems({
  'inventory/unknown-profile': {
    status: 404,
    title: { en: 'There is no such profile.', 'zh-Hans': '没有这个配置文件。', 'zh-Hant': '沒有這個設定檔。' },
  },
  'inventory/out-of-stock': {
    status: 409,
    title: { en: 'No profile is available for the moment.', 'zh-Hans': '暂时没有可用的配置文件。', 'zh-Hant': '暫時沒有可用的設定檔。' },
  },
  'inventory/step-not-allowed': {
    status: 409,
    title: { en: 'The profile’s present state does not allow this.', 'zh-Hans': '配置文件当前状态下不能这样做。', 'zh-Hant': '設定檔目前狀態下無法這樣做。' },
  },
  'inventory/keys-gone': {
    status: 410,
    title: { en: 'The profile was retired; its keys are gone.', 'zh-Hans': '该配置文件已停用，其密钥已不存在。', 'zh-Hant': '該設定檔已停用，其金鑰已不存在。' },
  },
  'inventory/taken': {
    status: 409,
    title: { en: 'An ICCID or IMSI came into the stock meanwhile; check the file again.', 'zh-Hans': '期间已有相同的 ICCID 或 IMSI 入库，请重新检查文件。', 'zh-Hant': '期間已有相同的 ICCID 或 IMSI 入庫，請重新檢查檔案。' },
  },
  'inventory/bad-range': {
    status: 422,
    title: { en: 'The number range does not fit.', 'zh-Hans': '号段不合适。', 'zh-Hant': '號段不合適。' },
  },
});
