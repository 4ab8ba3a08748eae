import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import ts from 'typescript';

/** A file of the repository; `path` is relative to its root, with forward slashes. */
export interface TreeFile {
  readonly path: string;
  readonly text: string;
}

/** A law broken at a place. */
export interface Fault {
  readonly law: string;
  readonly path: string;
  readonly line: number;
  readonly reason: string;
}

const skippedFolders = new Set(['node_modules', '.git', '.cache', 'data', 'dist', 'coverage']);
const textEndings = /\.(ts|js|mjs|json|sql|md|yml|yaml|html|css|csv)$|(^|\/)(LICENSE|run|\.npmrc|\.gitignore)$/;

/** Every text file below a folder, without what is fetched or made. */
export function readTree(root: string): TreeFile[] {
  const walk = (folder: string): TreeFile[] => readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name);
    if (entry.isDirectory()) return skippedFolders.has(entry.name) ? [] : walk(path);
    return entry.isFile() && textEndings.test(path) ? [{ path, text: readFileSync(join(root, path), 'utf8') }] : [];
  });
  return walk('');
}

export function isSource(path: string): boolean {
  return /\.(ts|js|mjs)$/.test(path);
}

/** Tests, and what only tests import. */
export function isTest(path: string): boolean {
  return /\.test\.ts$|\/testing\/|\/testing\.ts$|\/test-setup\.ts$|^packages\/[^/]+\/test\//.test(path);
}

/** The TypeScript tree of a file. */
export function parsed(file: TreeFile): ts.SourceFile {
  return ts.createSourceFile(file.path, file.text, ts.ScriptTarget.ESNext, true, ts.ScriptKind.TS);
}

export function lineOf(source: ts.SourceFile, node: ts.Node): number {
  return source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
}

/** Calls `visit` for every node below. */
export function everyNode(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => { everyNode(child, visit); });
}

/** Line of an offset in a text, counting from 1. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let i = text.indexOf('\n'); i !== -1 && i < offset; i = text.indexOf('\n', i + 1)) line += 1;
  return line;
}

/** An import as it is written, resolved within the tree when it is relative. */
export interface Import {
  readonly specifier: string;
  /** Path in the tree; undefined for packages. */
  readonly target: string | undefined;
  readonly line: number;
}

/** Static, dynamic and type imports, and re-exports. */
export function importsOf(file: TreeFile): Import[] {
  const source = parsed(file);
  const found: Import[] = [];
  everyNode(source, (node) => {
    const specifier = specifierOf(node);
    if (specifier === undefined) return;
    const target = specifier.startsWith('.') ? posix.join(posix.dirname(file.path), specifier) : undefined;
    found.push({ specifier, target, line: lineOf(source, node) });
  });
  return found;
}

function specifierOf(node: ts.Node): string | undefined {
  if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier)) {
    return node.moduleSpecifier.text;
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    const [first] = node.arguments;
    return first && ts.isStringLiteral(first) ? first.text : undefined;
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument) && ts.isStringLiteral(node.argument.literal)) return node.argument.literal.text;
  return undefined;
}
