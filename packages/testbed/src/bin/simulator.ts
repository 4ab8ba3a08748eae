import { z } from 'zod';
import { startGatewaySimulator } from '../gateway/index.ts';
import { startInbox } from '../inbox/index.ts';
import { startOperatorSimulator } from '../operator/index.ts';

/** Starts one simulator in a process of its own: `simulator.ts gateway|operator|inbox <options as JSON>`; tells its addresses on one line. */
const gateway = z.object({
  folder: z.string(), webhookUrl: z.string(), webhookSecret: z.string(), port: z.int().default(0), asyncRefundMs: z.int().nullable().default(300),
});
const operator = z.object({ folder: z.string(), feedFolder: z.string(), name: z.string().default('operator'), port: z.int().default(0) });
const inbox = z.object({ folder: z.string(), smtpPort: z.int().default(0), httpPort: z.int().default(0) });

const kinds = {
  gateway: async (given: unknown) => {
    const started = await startGatewaySimulator(gateway.parse(given));
    return { stop: () => started.stop(), shown: { url: started.url, secretKey: started.secretKey } };
  },
  operator: async (given: unknown) => {
    const started = await startOperatorSimulator({ ...operator.parse(given), fileEveryMs: null });
    return { stop: () => started.stop(), shown: { url: started.url, apiKey: started.apiKey } };
  },
  inbox: async (given: unknown) => {
    const started = await startInbox(inbox.parse(given));
    return { stop: () => started.stop(), shown: { url: started.url, smtpUrl: started.smtpUrl } };
  },
} as const;

const [kind, options] = process.argv.slice(2);
if (kind === undefined || !(kind in kinds) || options === undefined) {
  process.stderr.write('usage: simulator.ts gateway|operator|inbox <options as JSON>\n');
  process.exit(2);
}
const { stop, shown } = await kinds[kind as keyof typeof kinds](JSON.parse(options));
process.stdout.write(`${JSON.stringify(shown)}\n`);

let stopping = false;
function end(): void {
  if (stopping) return;
  stopping = true;
  void stop().then(() => process.exit(0));
}
process.on('SIGTERM', end);
// Whoever started it is gone when the pipe closes, also after a SIGKILL.
process.stdin.on('end', end).resume();
