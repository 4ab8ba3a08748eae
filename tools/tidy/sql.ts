import ts from 'typescript';
import { sliceOf } from './ranks.ts';
import { everyNode, isSource, isTest, lineOf, parsed } from './tree.ts';
import type { Fault, TreeFile } from './tree.ts';

const statement = /^\s*(select\s[^]+\sfrom\s|insert\s+into\s|update\s+[a-z_.]+\s+set\s|delete\s+from\s|with\s+[a-z_ ]+\s+as\s|create\s+(table|schema|index|unique)|alter\s+table|drop\s+(table|schema)|truncate\s)/i;

/** Who owns what a file of the server may name in SQL: its slice, or its room of the platform. */
function ownerOf(path: string): string | undefined {
  const slice = sliceOf(path);
  return slice === 'platform' ? /\/platform\/([a-z-]+)\//.exec(path)?.[1] : slice;
}

/** Where SQL may stand: the store of a slice, the database room, tests. */
function mayHoldSql(path: string): boolean {
  return path.endsWith('/store.ts') || path.startsWith('packages/server/src/platform/db/') || isTest(path);
}

/** The schemas that migrations create, by name, with the owner that the migration's file name gives. */
export function schemaOwners(files: readonly TreeFile[]): Map<string, string> {
  const owners = new Map<string, string>();
  for (const file of files) {
    const owner = migrationOwner(file.path);
    if (owner === undefined) continue;
    for (const match of file.text.matchAll(/create\s+schema\s+(?:if\s+not\s+exists\s+)?([a-z_]+)/gi)) owners.set(match[1]!.toLowerCase(), owner);
  }
  return owners;
}

/** The slice in `NNNN-<slice>-<what>.sql`. */
export function migrationOwner(path: string): string | undefined {
  return /^packages\/server\/migrations(?:-keys)?\/\d{4}-([a-z]+)-[a-z0-9-]+\.sql$/.exec(path)?.[1];
}

interface SqlText {
  readonly text: string;
  readonly line: number;
  readonly tagged: boolean;
}

/** Texts tagged `sql`, and other literals that read as statements. */
function sqlTexts(file: TreeFile): SqlText[] {
  const source = parsed(file);
  const found: SqlText[] = [];
  everyNode(source, (node) => {
    if (ts.isTaggedTemplateExpression(node) && /^sql\b/.test(node.tag.getText(source))) {
      found.push({ text: node.template.getText(source), line: lineOf(source, node), tagged: true });
    } else if ((ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node) || ts.isTemplateExpression(node))
      && !ts.isTaggedTemplateExpression(node.parent)) {
      const text = ts.isTemplateExpression(node) ? node.getText(source).slice(1, -1) : node.text;
      if (statement.test(text) || isRaw(node, source)) found.push({ text, line: lineOf(source, node), tagged: false });
    }
  });
  return found;
}

function isRaw(node: ts.Node, source: ts.SourceFile): boolean {
  return ts.isCallExpression(node.parent) && node.parent.expression.getText(source) === 'sql.raw';
}

/** Law 2: SQL in stores only, and each store names only its own schema. */
export function sqlFaults(files: readonly TreeFile[]): Fault[] {
  const owners = schemaOwners(files);
  return files.filter((file) => file.path.startsWith('packages/server/src/') && isSource(file.path)).flatMap((file) => {
    const texts = sqlTexts(file);
    if (!mayHoldSql(file.path)) {
      return texts.map(({ line }) => ({ law: 'sql', path: file.path, line, reason: 'SQL stands only in store.ts' }));
    }
    if (isTest(file.path)) return [];
    const owner = ownerOf(file.path);
    return texts.flatMap(({ text, line }) => foreignSchemas(text, owners, owner).map((schema) =>
      ({ law: 'sql', path: file.path, line, reason: `schema ${schema} belongs to ${owners.get(schema) ?? schema}` })));
  });
}

function foreignSchemas(text: string, owners: ReadonlyMap<string, string>, owner: string | undefined): string[] {
  const named = new Set([...text.matchAll(/\b([a-z_]+)\.[a-z_]+/gi)].map((match) => match[1]!.toLowerCase()));
  return [...named].filter((schema) => owners.has(schema) && owners.get(schema) !== owner);
}

/** A migration makes and changes only what lies in its own slice's schema. */
export function migrationFaults(files: readonly TreeFile[]): Fault[] {
  const owners = schemaOwners(files);
  return files.filter((file) => file.path.startsWith('packages/server/migrations')).flatMap((file) => {
    const owner = migrationOwner(file.path);
    if (owner === undefined) return [{ law: 'migrations', path: file.path, line: 1, reason: 'a migration is named NNNN-<slice>-<what>.sql' }];
    const statements = file.text.matchAll(/\b(?:create\s+(?:unlogged\s+)?table|alter\s+table|create\s+(?:unique\s+)?index[^;]*?\son|references|create\s+(?:or\s+replace\s+)?function)\s+(?:if\s+(?:not\s+)?exists\s+)?(?:only\s+)?([a-z_]+)\.[a-z_]+/gi);
    return [...statements].flatMap((match) => {
      const schema = match[1]!.toLowerCase();
      return owners.get(schema) === owner ? [] : [{
        law: 'migrations', path: file.path, line: file.text.slice(0, match.index).split('\n').length, reason: `schema ${schema} is not ${owner}'s`,
      }];
    });
  });
}
