import ts from 'typescript';
import { everyNode, isTest, lineOf, parsed } from './tree.ts';
import type { Fault, TreeFile } from './tree.ts';

/** Decisions and formats: what they need is an argument. */
function mustBePure(path: string): boolean {
  if (isTest(path) || !path.endsWith('.ts')) return false;
  return /^packages\/server\/src\/.+\/model\.ts$/.test(path) || /^packages\/(rsp|proof)\/src\//.test(path);
}

/** The LPA drives a phone and a server over a transport that it is given, so it waits for both. */
function mayWait(path: string): boolean {
  return path.startsWith('packages/rsp/src/lpa/');
}

const impureNames = new Set([
  'process', 'performance', 'fetch', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'globalThis', 'require', 'XMLHttpRequest',
  'WebSocket', 'navigator', 'window', 'console',
  'randomBytes', 'randomUUID', 'randomInt', 'randomFillSync', 'randomFill', 'getRandomValues', 'webcrypto', 'generateKeyPairSync', 'generateKeyPair',
  'generateKeySync', 'generateKeys', 'randomSecretKey', 'randomPrivateKey', 'keygen',
]);

function reasonOf(node: ts.Node, path: string): string | undefined {
  if ((ts.isAwaitExpression(node) || (ts.isForOfStatement(node) && node.awaitModifier !== undefined)) && !mayWait(path)) return 'await';
  if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
    const dotted = `${node.expression.text}.${node.name.text}`;
    if (dotted === 'Date.now' || dotted === 'Math.random' || dotted === 'import.meta') return dotted;
  }
  if (ts.isNewExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'Date' && (node.arguments?.length ?? 0) === 0) return 'new Date()';
  if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'Date') return 'Date()';
  if (ts.isIdentifier(node) && impureNames.has(node.text) && isUse(node)) return node.text;
  return undefined;
}

/** Whether the identifier names something from outside, not a property or a variable declared here. */
function isUse(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent) && parent.name === node) {
    // `x.generateKeys()` and its like draw randomness wherever they come from.
    return /^(random|generateKey|getRandom|keygen)/.test(node.text) && ts.isCallExpression(parent.parent);
  }
  if (ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent) || ts.isMethodSignature(parent) || ts.isMethodDeclaration(parent)) return parent.name !== node;
  if (ts.isParameter(parent) || ts.isVariableDeclaration(parent) || ts.isFunctionDeclaration(parent) || ts.isBindingElement(parent)) return parent.name !== node;
  return !ts.isJSDoc(parent);
}

/** Law 3: no clock, randomness, environment, network or waiting where decisions and formats live. */
export function purityFaults(files: readonly TreeFile[]): Fault[] {
  return files.filter((file) => mustBePure(file.path)).flatMap((file) => {
    const source = parsed(file);
    const faults: Fault[] = [];
    everyNode(source, (node) => {
      const reason = reasonOf(node, file.path);
      if (reason !== undefined) faults.push({ law: 'purity', path: file.path, line: lineOf(source, node), reason: `${reason} in a pure file` });
    });
    return faults;
  });
}
