import { settings, type Setting } from './settings.ts';

function groups(): Map<string, [string, Setting][]> {
  const grouped = new Map<string, [string, Setting][]>();
  for (const [name, setting] of Object.entries(settings) as [string, Setting][]) {
    grouped.set(setting.group, [...(grouped.get(setting.group) ?? []), [name, setting]]);
  }
  return grouped;
}

/** What `--help` prints. */
export function helpText(): string {
  const lines = [...groups()].flatMap(([group, members]) => [
    '', `${group}:`,
    ...members.flatMap(([name, setting]) => [
      `  ${name}${setting.secret === true ? ' (or NAME_FILE)' : ''}`,
      `      ${setting.about}`,
      `      Default: ${setting.fallback ?? setting.otherwise ?? 'none'}`,
    ]),
  ]);
  return [
    'Usage: node packages/server/src/main.ts [serve | migrate | admin EMAIL] [--help]', '',
    '  serve          listens until SIGTERM; the default',
    '  migrate        brings the databases to this version and ends',
    '  admin EMAIL    makes the first admin, once, and prints how to sign in', '',
    'Configuration comes from the environment.',
    ...lines, '',
  ].join('\n');
}

/** The example file: every variable, commented out, with its default or an example. */
export function exampleText(): string {
  const lines = [...groups()].flatMap(([group, members]) => [
    '', `# ---- ${group} ----`,
    ...members.flatMap(([name, setting]) => [
      '', `# ${setting.about}`,
      ...(setting.fallback === undefined && setting.otherwise !== undefined ? [`# When absent: ${setting.otherwise}.`] : []),
      ...(setting.secret === true ? [`# Or ${name}_FILE=/path/to/a/file that holds it.`] : []),
      `#${name}=${setting.fallback ?? setting.example ?? ''}`,
    ]),
  ]);
  return ['# Variables that the server reads. Made from packages/server/src/settings.ts; a test keeps it in step.', ...lines, ''].join('\n');
}
