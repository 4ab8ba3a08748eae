import { z } from 'zod';
import { instant } from './core/ids.ts';
import { problems } from './core/problem.ts';
import { route } from './core/route.ts';

/** A key that signs closure certificates. */
export const issuerKey = z.object({
  kid: z.string(),
  /** The `issuer.id` of the certificates that it may sign. */
  issuer: z.string(),
  jwk: z.object({ kty: z.literal('EC'), crv: z.literal('P-256'), x: z.string(), y: z.string() }),
  /** RFC 7638 thumbprint of the key, SHA-256 in base64url. */
  fingerprint: z.string(),
  retiredAt: instant.optional(),
}).meta({ id: 'IssuerKey' });

/** What a verifier believes in; `yuanyou verify --trust` reads it as it is. Compare its fingerprints on another way than this one. */
export const trustFile = z.object({
  format: z.literal('yuanyou-trust/v1'),
  issuerKeys: z.array(issuerKey),
  /** Each log with its verifier key (C2SP signed-note). */
  logs: z.array(z.object({ origin: z.string(), vkey: z.string() })),
  /** How many of these witnesses must have cosigned a checkpoint. */
  witnessPolicy: z.object({ threshold: z.int(), witnesses: z.array(z.string()) }).optional(),
}).meta({ id: 'TrustFile' });

/** The transparency log as static resources (C2SP tlog-tiles), and the keys to verify with. */
export const transparencyRoutes = {
  getCheckpoint: route({
    operationId: 'getCheckpoint', method: 'GET', path: '/log/checkpoint', tag: 'Transparency', audience: 'public',
    summary: 'The log\'s newest signed checkpoint', responses: { 200: 'text/plain; charset=utf-8' }, problems: ['transparency/stopped'],
  }),
  getTile: route({
    operationId: 'getTile', method: 'GET', path: '/log/tile/*', tag: 'Transparency', audience: 'public',
    summary: 'A tile of hashes, `<L>/<N>[.p/<W>]`, or a bundle of entries, `entries/<N>[.p/<W>]`',
    params: z.object({ '*': z.string().min(1).max(64) }), responses: { 200: 'application/octet-stream' },
    problems: ['transparency/no-such-tile', 'transparency/stopped'],
  }),
  getTrust: route({
    operationId: 'getTrust', method: 'GET', path: '/v1/trust', tag: 'Transparency', audience: 'public',
    summary: 'The trust file: issuer keys and log keys with their fingerprints', responses: { 200: trustFile },
  }),
} as const;

export const transparencyProblems = problems({
  'transparency/no-such-tile': {
    status: 404,
    title: {
      en: 'The log has no such tile, or not yet.', 'zh-Hans': '日志中没有这个数据块，或尚未生成。', 'zh-Hant': '日誌中沒有這個資料塊，或尚未產生。',
    },
  },
  'transparency/stopped': {
    status: 503,
    title: {
      en: 'The log is stopped: what it holds does not continue what was published before.',
      'zh-Hans': '日志已停止：其内容与此前公布的内容不连续。', 'zh-Hant': '日誌已停止：其內容與先前公布的內容不連續。',
    },
  },
  'transparency/leaf-differs': {
    status: 409,
    title: {
      en: 'This leaf was appended before with another content.',
      'zh-Hans': '该叶子此前已以不同内容写入。', 'zh-Hant': '此葉節點先前已以不同內容寫入。',
    },
  },
  'transparency/bad-entry': {
    status: 400,
    title: { en: 'An entry of the log has 32 bytes.', 'zh-Hans': '日志条目必须为 32 字节。', 'zh-Hant': '日誌條目必須為 32 位元組。' },
  },
  'transparency/bad-key': {
    status: 500,
    title: {
      en: 'The key given does not sign for this log.', 'zh-Hans': '所给密钥不能为此日志签名。', 'zh-Hant': '所給金鑰不能為此日誌簽名。',
    },
  },
});
