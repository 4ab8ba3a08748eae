#!/usr/bin/env node
// Plain JavaScript, for the Node that happens to be there: the command itself is TypeScript, which Node runs as it is from 22.18 on.
import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const self = realpathSync(fileURLToPath(import.meta.url));
const [major, minor] = process.versions.node.split('.').map(Number);

if (major > 22 || (major === 22 && minor >= 18)) {
  const { main } = await import('../src/main.ts');
  process.exitCode = await main(process.argv.slice(2));
} else {
  runWithNewerNode();
}

function runWithNewerNode() {
  const node = newerNode();
  if (node === undefined || process.env.YUANYOU_NEWER_NODE === '1') {
    process.stderr.write(
      `yuanyou needs Node 22.18 or newer, and this is ${process.version}: run npm ci in the checkout, which brings one\n`,
    );
    process.exitCode = 2;
    return;
  }
  const child = spawn(node, [self, ...process.argv.slice(2)], { stdio: 'inherit', env: { ...process.env, YUANYOU_NEWER_NODE: '1' } });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`yuanyou cannot start ${node}: ${error.message}\n`);
    process.exitCode = 2;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === null ? 2 : 128);
  });
}

/** The Node that npm linked beside the dependencies, in this folder or one above. */
function newerNode() {
  for (let folder = dirname(self); ; folder = dirname(folder)) {
    const node = join(folder, 'node_modules', '.bin', 'node');
    if (existsSync(node)) return node;
    if (dirname(folder) === folder) return undefined;
  }
}
