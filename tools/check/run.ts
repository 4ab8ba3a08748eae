import { spawn } from 'node:child_process';

export interface Outcome {
  readonly exitCode: number;
  /** Empty when the output was shown. */
  readonly output: string;
  readonly durationMs: number;
}

/** Runs a script with this very Node: the one on PATH may be older than what the sources need. */
export async function run(
  cwd: string, script: string, args: readonly string[], output: 'collect' | 'show', environment: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [script, ...args], {
    cwd,
    env: { ...process.env, ...environment },
    stdio: ['ignore', output === 'show' ? 'inherit' : 'pipe', output === 'show' ? 'inherit' : 'pipe'],
  });
  const chunks: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk));
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => { resolve(code ?? 1); });
  });
  return { exitCode, output: Buffer.concat(chunks).toString(), durationMs: performance.now() - startedAt };
}
