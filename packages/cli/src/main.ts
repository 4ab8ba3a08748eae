import { Command, CommanderError } from 'commander';
import { addVerify } from './commands/verify.ts';
import { type ExitCode, exitCodes, type Terminal, UsageError } from './terminal.ts';

/** Adds a command to the program. It declares itself at once and imports what it needs only when it runs, so that all start quickly. */
export type AddCommand = (program: Command, terminal: Terminal, end: (code: ExitCode) => void) => void;

const commands: readonly AddCommand[] = [addVerify];

/**
 * Runs the command line.
 *
 * @param args - without the interpreter and the script.
 * @returns the exit code.
 */
export async function main(args: readonly string[], terminal: Terminal = processTerminal()): Promise<ExitCode> {
  let code: ExitCode = exitCodes.valid;
  const program = new Command('yuanyou')
    .description('Yuanyou: an eSIM service that lets everyone leave as easily as they came')
    .showHelpAfterError('(yuanyou --help shows how)')
    .configureOutput({ writeOut: (text) => terminal.out(text), writeErr: (text) => terminal.err(text) })
    .exitOverride();
  for (const add of commands) add(program, terminal, (ended) => { code = ended; });
  try {
    if (args.length === 0) program.help({ error: true });
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    return exitCodeOf(error, terminal);
  }
}

function exitCodeOf(error: unknown, terminal: Terminal): ExitCode {
  // Commander has said what was wrong; asking for help is no error.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.valid : exitCodes.usage;
  if (!(error instanceof UsageError)) throw error;
  terminal.err(`yuanyou: ${error.message}\n`);
  return exitCodes.usage;
}

function processTerminal(): Terminal {
  return {
    out: (text) => { process.stdout.write(text); },
    err: (text) => { process.stderr.write(text); },
    colour: process.stdout.isTTY && (process.env.NO_COLOR ?? '') === '',
  };
}
