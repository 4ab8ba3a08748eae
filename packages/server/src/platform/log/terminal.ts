const levels: Readonly<Record<number, readonly [name: string, colour: number]>> = {
  10: ['trace', 90], 20: ['debug', 90], 30: ['info', 36], 40: ['warn', 33], 50: ['error', 31], 60: ['fatal', 35],
};
const own: ReadonlySet<string> = new Set(['level', 'time', 'msg', 'pid', 'hostname', 'err']);

/** One line of the log as a person reads it: time, level, message, fields; of an error its stack below. */
export function forTerminal(line: string, colours: boolean): string {
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return line;
  }
  const [name, colour] = levels[entry['level'] as number] ?? ['log', 0];
  const time = typeof entry['time'] === 'string' ? entry['time'].slice(11, 23) : '';
  const fields = Object.entries(entry).filter(([key]) => !own.has(key)).map(([key, value]) => `${key}=${shown(value)}`);
  const error = entry['err'] as { code?: string; message?: string; stack?: string } | undefined;
  if (error !== undefined) fields.push(shown(error.message ?? error.code ?? ''));
  const paint = (code: number, text: string): string => (colours ? `\x1b[${code}m${text}\x1b[0m` : text);
  const message = typeof entry['msg'] === 'string' ? entry['msg'] : '';
  const head = [paint(90, time), paint(colour, name.padEnd(5)), message, paint(90, fields.join(' '))].join(' ').trimEnd();
  return error?.stack ? `${head}\n${paint(90, error.stack)}\n` : `${head}\n`;
}

function shown(value: unknown): string {
  return typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}
