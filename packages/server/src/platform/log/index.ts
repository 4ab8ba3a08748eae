import { pino, destination, stdTimeFunctions, type DestinationStream, type Logger } from 'pino';
import { describeError, redact } from './redact.ts';
import { forTerminal } from './terminal.ts';

export type { Logger } from 'pino';

export interface LogOptions {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** `json`: one object a line. `terminal`: for people. `auto`: `terminal` where standard output is one. */
  readonly format: 'json' | 'terminal' | 'auto';
  /** Where lines go; standard output when absent. */
  readonly write?: (line: string) => void;
}

/** A log with the means to write out what it still holds. */
export interface Log {
  readonly log: Logger;
  flush(): void;
}

/** The process's log. What is personal or secret by its field's name never reaches the output. */
export function createLog(options: LogOptions): Log {
  const terminal = options.format === 'terminal' || (options.format === 'auto' && process.stdout.isTTY === true);
  const output = outputOf(options, terminal);
  const log = pino({
    level: options.level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { log: (entry) => redact(entry) as Record<string, unknown> },
    serializers: { err: (error: unknown) => (error instanceof Error ? describeError(error) : error) },
  }, output.stream);
  return { log, flush: output.flush };
}

function outputOf(options: LogOptions, terminal: boolean): { stream: DestinationStream; flush(): void } {
  const { write } = options;
  if (write !== undefined) return { stream: { write: (line) => { write(terminal ? forTerminal(line, false) : line); } }, flush() {} };
  if (terminal) {
    const colours = process.stdout.isTTY === true;
    return { stream: { write: (line) => { process.stdout.write(forTerminal(line, colours)); } }, flush() {} };
  }
  // Lines gather for a moment: a system call a request would cost more than the line itself.
  const file = destination({ dest: 1, sync: false, minLength: 4096, periodicFlush: 200 });
  return { stream: file, flush: () => { file.flushSync(); } };
}
