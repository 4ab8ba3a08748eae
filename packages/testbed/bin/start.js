#!/usr/bin/env node
// Plain JavaScript, for the Node that happens to be there: `npm run` finds the one beside the dependencies, a person's shell may not.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const self = fileURLToPath(import.meta.url);
const [major, minor] = process.versions.node.split('.').map(Number);

if (major > 22 || (major === 22 && minor >= 18)) await import('../src/bin/start.ts');
else runWithNewerNode();

function runWithNewerNode() {
  const node = join(dirname(self), '..', '..', '..', 'node_modules', '.bin', 'node');
  if (!existsSync(node) || process.env.NEWER_NODE === '1') {
    process.stderr.write(`yuanyou: needs Node 22.18 or newer, and this is ${process.version}: run npm ci in the checkout, which brings one\n`);
    process.exitCode = 1;
    return;
  }
  const child = spawn(node, [self, ...process.argv.slice(2)], { stdio: 'inherit', env: { ...process.env, NEWER_NODE: '1' } });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === null ? 1 : 128);
  });
}
