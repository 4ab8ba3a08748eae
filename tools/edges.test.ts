import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from './check/run.ts';

const root = resolve(import.meta.dirname, '..');

/** A tree that breaks each rule of tools/dependency-cruiser.config.js once. */
const broken: Readonly<Record<string, string>> = {
  'package.json': '{ "name": "broken", "type": "module" }',
  'tsconfig.json': '{ "compilerOptions": { "module": "nodenext", "allowImportingTsExtensions": true, "noEmit": true } }',
  'packages/rsp/src/index.ts': "import fs from 'node:fs';\nimport crypto from 'node:crypto';\nimport pg from 'pg';\nimport { z } from '../../contract/src/index.ts';\nexport const all = [fs, crypto, pg, z];",
  'packages/rsp/src/euicc/index.ts': "import { createHash } from 'node:crypto';\nexport const euicc = createHash;",
  'packages/rsp/src/dead.ts': 'export const dead = 1;',
  'packages/proof/src/index.ts': "import crypto from 'node:crypto';\nimport pg from 'pg';\nexport const all = [crypto, pg];",
  'packages/contract/src/index.ts': "import type pino from 'pino';\nimport { z } from 'zod';\nexport type Log = pino.Logger;\nexport { z };",
  'packages/server/src/index.ts': "import { phone } from '../../testbed/src/index.ts';\nimport { euicc } from '../../rsp/src/euicc/index.ts';\nexport const all = [phone, euicc];",
  'packages/testbed/src/index.ts': "import { all } from '../../server/src/index.ts';\nexport const phone = () => all;",
  'packages/cli/src/index.ts': "import { all } from '../../server/src/index.ts';\nimport gone from './gone.ts';\nexport default [all, gone];",
};

const expected = [
  'rsp-does-no-io', 'rsp-needs-no-library', 'rsp-imports-no-package', 'no-orphan', 'proof-runs-in-the-browser', 'proof-needs-noble-only',
  'contract-needs-zod-only', 'server-knows-no-client', 'server-holds-no-phone', 'no-cycle', 'cli-is-a-client', 'resolvable',
];

describe('the rules of edges across packages', () => {
  let folder: string;
  let output: string;

  beforeAll(async () => {
    mkdirSync(join(root, '.cache'), { recursive: true });
    folder = mkdtempSync(join(root, '.cache', 'edges-'));
    for (const [path, text] of Object.entries(broken)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    const script = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
    ({ output } = await run(folder, script, ['--config', join(root, 'tools/dependency-cruiser.config.js'), 'packages'], 'collect'));
  });

  afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

  it.each(expected)('%s is seen when broken', (rule) => {
    expect(output).toContain(`error ${rule}: packages/`);
  });

  it('leaves node:crypto to rsp', () => {
    expect(output).not.toContain('rsp-does-no-io: packages/rsp/src/index.ts → crypto');
  });
});
