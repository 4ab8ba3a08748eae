import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';

const program = join(import.meta.dirname, '..', '..', '..', 'server', 'src', 'main.ts');

/** What the server tells when it listens. */
export interface Listening {
  readonly publicUrl: string;
  /** The SM-DP+ address in activation codes. */
  readonly es9Address: string;
  readonly es9Url: string;
}

export interface ServerProcess {
  readonly pid: number;
  readonly listening: Listening;
  /** Its exit code; 1 for an end by a signal. */
  readonly ended: Promise<number>;
  /** SIGTERM, and wait. */
  stop(): Promise<number>;
  /** SIGKILL, and wait. */
  kill(): Promise<void>;
}

/** The server ended before it listened; it has said why on standard error. */
export class ServerEnded extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super('the server ended before it listened');
    this.name = 'ServerEnded';
    this.exitCode = exitCode;
  }
}

/** Starts the server as a process of its own; it stops by itself when this process is gone. */
export async function startServer(env: NodeJS.ProcessEnv, output: 'inherit' | 'ignore' | number, onSpawn: (pid: number) => void): Promise<ServerProcess> {
  const child = spawn(process.execPath, [program], { env, stdio: ['ignore', output, 'inherit', 'ipc'] });
  const ended = new Promise<number>((resolve, reject) => {
    child.once('exit', (code) => { resolve(code ?? 1); });
    child.once('error', reject);
  });
  if (child.pid !== undefined) onSpawn(child.pid);
  const listening = await Promise.race([whenListening(child), ended.then((code) => { throw new ServerEnded(code); })]);
  return {
    pid: child.pid!,
    listening,
    ended,
    async stop() {
      child.kill('SIGTERM');
      return ended;
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function whenListening(child: ChildProcess): Promise<Listening> {
  return new Promise((resolve) => {
    child.on('message', (message) => {
      if ((message as { kind?: string }).kind === 'listening') resolve(message as Listening);
    });
  });
}
