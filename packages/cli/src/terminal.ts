/** What a command's exit code says. */
export const exitCodes = {
  /** The answer is yes. */
  valid: 0,
  /** The answer is no. */
  invalid: 1,
  /** The command was not understood, or a file cannot be read. */
  usage: 2,
  /** Neither yes nor no: something is missing that would tell. */
  needsMore: 3,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Where a command writes. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** True when people look at `out` directly. */
  readonly colour: boolean;
}

/** What went wrong before there was anything to judge; shown as one line. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

const CODES = { green: 32, red: 31, yellow: 33, bold: 1 } as const;

/** Colours a text where colours are shown. */
export function paint(terminal: Terminal, colour: keyof typeof CODES, text: string): string {
  return terminal.colour ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text;
}
