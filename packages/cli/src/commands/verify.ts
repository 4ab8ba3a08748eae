import type { Command } from 'commander';
import type { ExitCode, Terminal } from '../terminal.ts';

const EXAMPLES = `
The trust file holds the keys to believe in: get it from the service or from someone you trust, and compare its fingerprints once.
Nothing is fetched: the command works offline, and without the service.

Exit codes: 0 valid, 1 invalid, 2 not understood or not readable, 3 needs more (a key that the trust file does not name, a certificate
without its bundle, too few witnesses).

Examples:
  $ yuanyou verify closure-YY-2026-000123.json --trust yuanyou-trust.json
  $ yuanyou verify closure-YY-2026-000123.json --trust yuanyou-trust.json --openings openings.json
  $ yuanyou verify closure-YY-2026-000123.json --trust yuanyou-trust.json --json | jq .outcome
`;

/** `yuanyou verify`: is this closure certificate what it says? */
export function addVerify(program: Command, terminal: Terminal, end: (code: ExitCode) => void): void {
  program.command('verify')
    .summary('verify a closure certificate offline')
    .description('Verify a closure certificate: its signature, its place in the transparency log, and the log\'s signed checkpoint.')
    .argument('<file>', 'the bundle, as the service delivered it')
    .requiredOption('--trust <file>', 'the trust file: the keys to believe in')
    .option('--openings <file>', 'the holder\'s own file: also show whose account it was')
    .option('--json', 'print the findings as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, options: { readonly trust: string; readonly openings?: string; readonly json?: true }) => {
      const { verifyFile } = await import('./verify-file.ts');
      end(verifyFile(file, options, terminal, new Date()));
    });
}
