import ts from 'typescript';
import { everyNode, isSource, lineOf, parsed } from './tree.ts';
import type { Fault, TreeFile } from './tree.ts';

const maxFileLines = 400;
const maxFunctionLines = 70;

/** A group of tests holds tests as a file holds functions. */
function isGroupOfTests(node: ts.Node): boolean {
  if (!ts.isCallExpression(node.parent)) return false;
  const called = node.parent.expression.getText();
  return /^(describe|suite)\b/.test(called);
}

function functionFaults(file: TreeFile): Fault[] {
  const source = parsed(file);
  const faults: Fault[] = [];
  everyNode(source, (node) => {
    if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined || isGroupOfTests(node)) return;
    const from = lineOf(source, node);
    const lines = source.getLineAndCharacterOfPosition(node.end).line + 2 - from;
    if (lines > maxFunctionLines) faults.push({ law: 'size', path: file.path, line: from, reason: `a function of ${lines} lines` });
  });
  return faults;
}

/** Law 5: files and functions that fit on a few screens. */
export function sizeFaults(files: readonly TreeFile[]): Fault[] {
  return files.filter((file) => isSource(file.path) || file.path.endsWith('.sql')).flatMap((file) => {
    const lines = file.text.trimEnd().split('\n').length;
    const long = lines > maxFileLines ? [{ law: 'size', path: file.path, line: 1, reason: `${lines} lines` }] : [];
    return [...long, ...(isSource(file.path) ? functionFaults(file) : [])];
  });
}
