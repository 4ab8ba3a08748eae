import { spawn } from 'node:child_process';
import { openDevice } from '../phone/index.ts';
import { serveStdio } from '../phone/stdio.ts';

/**
 * Serves the virtual eUICC of a phone's state file to an LPA that speaks lpac's stdio APDU protocol:
 * `euicc-stdio.ts STATE` on standard input and output, or `euicc-stdio.ts STATE -- lpac profile list` with the LPA as a child.
 */
const [statePath, separator, program, ...rest] = process.argv.slice(2);
if (statePath === undefined || (separator !== undefined && (separator !== '--' || program === undefined))) {
  process.stderr.write('usage: euicc-stdio.ts STATE [-- PROGRAM ARGUMENTS...]\n');
  process.exit(2);
}

const device = openDevice(statePath);
if (program === undefined) {
  await serveStdio(device, process.stdin, process.stdout, (line) => { process.stderr.write(`${line}\n`); });
} else {
  const child = spawn(program, rest, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, LPAC_APDU: 'stdio' } });
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => { resolve(code ?? 1); });
  });
  await serveStdio(device, child.stdout, child.stdin, (line) => { process.stdout.write(`${line}\n`); });
  process.exitCode = await ended;
}
