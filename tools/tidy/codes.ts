import ts from 'typescript';
import { sliceOf } from './ranks.ts';
import { everyNode, isSource, isTest, lineOf, parsed } from './tree.ts';
import type { Fault, TreeFile } from './tree.ts';

/** Faults of ours that a room of the platform reports: the edge answers them all as an internal error, so they need no words. */
function isInternal(path: string, code: string): boolean {
  const room = /\/platform\/([a-z]+)\//.exec(path)?.[1];
  return room !== undefined && room !== 'http' && code.startsWith(`${room}/`);
}

/** Every code that a slice or the edge throws is a row of the contract's table of problems. */
export function codeFaults(files: readonly TreeFile[], known: ReadonlySet<string>): Fault[] {
  // What wires the slices throws at the start only, to the terminal.
  return files.filter(({ path }) => sliceOf(path) !== undefined && isSource(path) && !isTest(path)).flatMap((file) => {
    const source = parsed(file);
    const faults: Fault[] = [];
    everyNode(source, (node) => {
      if (!ts.isNewExpression(node) || node.expression.getText(source) !== 'ServiceError') return;
      const [first] = node.arguments ?? [];
      if (first === undefined) return;
      everyNode(first, (part) => {
        if (!ts.isStringLiteralLike(part) || !/^[a-z-]+\/[a-z0-9-]+$/.test(part.text) || known.has(part.text) || isInternal(file.path, part.text)) return;
        faults.push({ law: 'codes', path: file.path, line: lineOf(source, part), reason: `${part.text} is no problem of the contract` });
      });
    });
    return faults;
  });
}
