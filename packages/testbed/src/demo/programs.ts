import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { accessRoutes, createClient } from '@yuanyou/contract';
import { expectThat, known } from './journey.ts';

const packages = join(import.meta.dirname, '..', '..', '..');
export const programs = {
  server: join(packages, 'server', 'src', 'main.ts'),
  yuanyou: join(packages, 'cli', 'bin', 'yuanyou.js'),
  check: join(packages, 'testbed', 'src', 'bin', 'demo-check.ts'),
};

interface Ended {
  readonly code: number;
  readonly out: string;
}

/** Runs a program of ours to its end. */
export function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => { out += chunk.toString(); });
    child.stderr.on('data', (chunk: Buffer) => { out += chunk.toString(); });
    child.once('error', reject);
    child.once('exit', (code) => { resolve({ code: code ?? 1, out }); });
  });
}

/** The one-time command makes the first admin of the service in `env`, who then signs in over the API. */
export async function firstAgent(apiUrl: string, env: NodeJS.ProcessEnv): Promise<string> {
  const { code, out } = await run(programs.server, ['admin', 'agent@example.test', 'Demo', 'Agent'], { ...env, YUANYOU_LOG_LEVEL: 'silent' });
  expectThat(code === 0, `the admin command to end well: ${out}`);
  const invitation = known(/Invitation code: (\S+)/.exec(out)?.[1], 'an invitation');
  const { body } = await createClient({ baseUrl: apiUrl }).call(accessRoutes.acceptInvitation, { body: { code: invitation, password: 'an agent password, 2026' } });
  return known(body.session.secret ?? undefined, 'an agent’s session');
}
