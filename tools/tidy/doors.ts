import { posix } from 'node:path';
import ts from 'typescript';
import type { Fault } from './tree.ts';

/** Every public export of a package that others install has TSDoc. `root` is an absolute folder, the entries lie below it. */
export function docFaults(root: string, entries: readonly string[]): Fault[] {
  const paths = entries.map((entry) => posix.join(root, entry));
  const program = ts.createProgram(paths, {
    target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext,
    allowImportingTsExtensions: true, noEmit: true, skipLibCheck: true, types: [], noLib: true,
  });
  const checker = program.getTypeChecker();
  return paths.flatMap((path) => {
    const source = program.getSourceFile(path);
    const module = source && checker.getSymbolAtLocation(source);
    if (module === undefined) return [];
    return checker.getExportsOfModule(module).flatMap((named) => {
      const symbol = named.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(named) : named;
      const documented = [symbol, named].some((one) => one.getDocumentationComment(checker).length > 0);
      const [declaration] = symbol.declarations ?? [];
      if (documented || declaration === undefined || ts.isSourceFile(declaration)) return [];
      // The tables of routes and problems are read row by row, and each row has its words.
      if (/(Routes|Problems)$/.test(named.name)) return [];
      // A type that follows from a documented schema or table of the same module says nothing new.
      if (ts.isTypeAliasDeclaration(declaration) && /^(z\.(infer|input|output)<|keyof typeof )/.test(declaration.type.getText())) return [];
      const at = declaration.getSourceFile();
      return [{
        law: 'docs', path: posix.relative(root, at.fileName), line: at.getLineAndCharacterOfPosition(declaration.getStart()).line + 1,
        reason: `${named.name} is public and has no TSDoc`,
      }];
    });
  });
}
