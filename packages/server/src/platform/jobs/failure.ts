import { ServiceError } from '../errors.ts';

const longest = 300;

/**
 * What may be stored and logged of an error: its code and where it was thrown. Never its message, which may quote a
 * personal value (a mail server's answer, a database's detail).
 */
export function describeFailure(error: unknown): string {
  if (error instanceof ServiceError) return clip(error.code);
  if (!(error instanceof Error)) return `thrown ${typeof error}`;
  const parts = [error.name, codeOf(error), constraintOf(error), placeOf(error)].filter((part) => part !== undefined);
  return clip(parts.join(' '));
}

function clip(text: string): string {
  return text.slice(0, longest);
}

function codeOf(error: Error): string | undefined {
  return 'code' in error && typeof error.code === 'string' && /^[\w./-]{1,64}$/.test(error.code) ? error.code : undefined;
}

function constraintOf(error: Error): string | undefined {
  const named = 'constraint' in error && typeof error.constraint === 'string' ? error.constraint : undefined;
  return named !== undefined && /^\w{1,63}$/.test(named) ? named : undefined;
}

/** The topmost frame that is not Node's own or a dependency's, with its last two path segments. */
function placeOf(error: Error): string | undefined {
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  const own = frames.find((line) => !line.includes('node:') && !line.includes('node_modules'));
  const found = /([\w.-]+\/[\w.-]+:\d+):\d+\)?$/.exec(own ?? '');
  return found === null ? undefined : `at ${found[1]}`;
}
