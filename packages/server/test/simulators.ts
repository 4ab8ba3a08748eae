import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../testbed/src/bin/simulator.ts', import.meta.url));

/** A counterpart in a process of its own: reached by its sockets alone, as the real one would be. */
export interface Simulator {
  readonly shown: Readonly<Record<string, string>>;
  readonly folder: string;
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body: unknown): Promise<T>;
  stop(): Promise<void>;
}

export async function startSimulator(kind: 'gateway' | 'operator' | 'inbox', options: Readonly<Record<string, unknown>> = {}): Promise<Simulator> {
  const folder = mkdtempSync(join(tmpdir(), `yuanyou-${kind}-`));
  const child = spawn(process.execPath, [program, kind, JSON.stringify({ folder, feedFolder: join(folder, 'feed'), ...options })], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const [line] = await Promise.race([once(createInterface(child.stdout), 'line'), exited]) as [string];
  const shown = JSON.parse(line) as Record<string, string>;
  const ask = async (path: string, init?: RequestInit): Promise<never> => {
    const answer = await fetch(new URL(path, shown['url']), init);
    const body = await answer.json() as never;
    if (!answer.ok) throw new Error(`${path} answered ${answer.status} ${JSON.stringify(body)}`);
    return body;
  };
  return {
    shown,
    folder,
    get: (path) => ask(path),
    post: (path, body) => ask(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    async stop() {
      child.stdin.end();
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
