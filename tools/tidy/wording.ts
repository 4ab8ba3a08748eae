import { lineAt } from './tree.ts';
import type { Fault, TreeFile } from './tree.ts';

const forbiddenNames = /^(utils?|helpers?|common|manager|misc)$/;

interface Pattern {
  readonly pattern: RegExp;
  readonly reason: string;
}

const patterns: readonly Pattern[] = [
  { pattern: /\b(TODO|FIXME)\b(?!\(#\d+\))/g, reason: 'an open end without an issue' },
  { pattern: /(?<=^|[\s"'`(=])\/(home|root|Users|work)\/[\w.-]+/gm, reason: 'a path of some machine' },
  { pattern: /https?:\/\/[^\s"')]*(registry\.|verdaccio|artifactory|\/nexus)[^\s"')]*/g, reason: 'the address of a package registry' },
];

/** Law 5: names that say something, no open ends, nothing that is true on one machine only. */
export function wordingFaults(files: readonly TreeFile[]): Fault[] {
  return files.flatMap((file) => {
    const parts = file.path.split('/').flatMap((part) => part.replace(/\.[a-z.]+$/, '').split('-'));
    const bad = parts.find((part) => forbiddenNames.test(part));
    const named = bad === undefined ? [] : [{ law: 'wording', path: file.path, line: 1, reason: `${bad} says nothing: name it after what it does` }];
    // The patterns and their broken samples are no breach themselves.
    if (file.path.startsWith('tools/tidy')) return named;
    const texts = patterns.flatMap(({ pattern, reason }) => [...file.text.matchAll(pattern)].map((match) =>
      ({ law: 'wording', path: file.path, line: lineAt(file.text, match.index + 1), reason: `${reason}: ${match[0]}` })));
    return [...named, ...texts];
  });
}
