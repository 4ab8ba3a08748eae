import { createHash, randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Faults } from '../simulator/faults.ts';
import { createSimulatorServer } from '../simulator/server.ts';
import { countUse, find, OperatorRefusal, perform, type ServiceCall, type Use } from './acts.ts';
import { writeUsageFiles } from './feed.ts';
import { openRegister, type OperatorRegister, type Register, type Subscriber, type UsageRecord } from './register.ts';

export { OperatorRefusal, type Use } from './acts.ts';
export { readOperatorRegister, type OperatorRegister, type Subscriber, type UsageRecord } from './register.ts';

export interface OperatorSimulatorOptions {
  /** 0 or absent: any free port. */
  readonly port?: number;
  /** Where its register is kept. */
  readonly folder: string;
  /** Where it leaves its usage files. */
  readonly feedFolder: string;
  /** Its name in file names: lower case, digits, hyphens. */
  readonly name?: string;
  readonly apiKey?: string;
  /** MCC and MNC of the network that use is counted on unless told otherwise. */
  readonly mccmnc?: string;
  readonly clock?: { now(): Date };
  /** How often usage files are written by themselves; default an hour; null: only when asked. */
  readonly fileEveryMs?: number | null;
}

export interface OperatorSimulator {
  readonly url: string;
  readonly apiKey: string;
  readonly feedFolder: string;
  readonly faults: Faults;
  /** Counts use of a subscriber. @throws OperatorRefusal when the subscriber has no service, unless `leak` is set. */
  use(use: Use): UsageRecord;
  /** Writes the usage files that are due; answers their names. */
  writeFiles(): string[];
  subscriber(iccid: string): Subscriber | undefined;
  register(): OperatorRegister;
  stop(): Promise<void>;
}

const calls: readonly ServiceCall[] = ['activate', 'suspend', 'resume', 'terminate', 'forget'];
const callBody = z.object({ requestId: z.string().min(8).max(200), imsi: z.string().max(15).optional() });
const useBody = z.object({
  iccid: z.string().min(10).max(22), bytes: z.int().min(1), at: z.iso.datetime(), seconds: z.int().min(0).max(86_400).optional(),
  imei: z.string().max(17).optional(), mccmnc: z.string().max(6).optional(), leak: z.boolean().optional(), write: z.boolean().optional(),
});

/** The first answer to a request id stands for every repeat; another question under it is refused. */
function answerOnce(register: Register, call: ServiceCall, iccid: string, body: z.infer<typeof callBody>, now: Date): { status: number; body: unknown } {
  const fingerprint = createHash('sha256').update(`${call} ${iccid} ${body.imsi ?? ''}`).digest('hex');
  const kept = register.answer(body.requestId);
  if (kept !== undefined && kept.fingerprint !== fingerprint) {
    throw new OperatorRefusal(409, 'request-id-reused', 'This request id was used for another call');
  }
  if (kept !== undefined) return kept;
  const receipt = { receiptId: randomUUID(), requestId: body.requestId, ...(perform(register, call, iccid, body.imsi, now) as object) };
  register.save({ answer: { requestId: body.requestId, fingerprint, status: 200, body: receipt } });
  return { status: 200, body: receipt };
}

/** A mobile operator that takes service calls over REST and leaves usage files in a folder. */
export async function startOperatorSimulator(options: OperatorSimulatorOptions): Promise<OperatorSimulator> {
  const now = (): Date => (options.clock ?? { now: () => new Date() }).now();
  const name = options.name ?? 'operator';
  const apiKey = options.apiKey ?? 'operator-simulator-key';
  const register = openRegister(options.folder);
  const writeFiles = (): string[] => writeUsageFiles(register, options.feedFolder, name);
  const use = (given: Use): UsageRecord => countUse(register, given, options.mccmnc ?? '00101');
  const server = createSimulatorServer((status) => ({ code: 'simulated', message: `Simulated failure ${status}` }));

  server.app.addHook('onRequest', async (request) => {
    if (request.url.startsWith('/subscribers') && request.headers.authorization !== `Bearer ${apiKey}`) {
      throw new OperatorRefusal(401, 'unauthorized', 'Unknown key');
    }
  });
  server.app.setErrorHandler(async (error, _request, reply) => {
    if (error instanceof OperatorRefusal) return reply.code(error.status).send({ code: error.code, message: error.message });
    return reply.code(400).send({ code: 'invalid', message: error instanceof Error ? error.message : 'invalid' });
  });
  for (const call of calls) {
    server.app.post<{ Params: { iccid: string } }>(`/subscribers/:iccid/${call}`, async (request, reply) => {
      const { status, body } = answerOnce(register, call, request.params.iccid, callBody.parse(request.body), now());
      return reply.code(status).send(body);
    });
  }
  server.app.get<{ Params: { iccid: string } }>('/subscribers/:iccid', async (request) => find(register, request.params.iccid));
  server.app.post('/_control/usage', async (request) => {
    const { at, write, iccid, bytes, seconds, imei, mccmnc, leak } = useBody.parse(request.body);
    const record = use({
      iccid, bytes, at: new Date(at), ...(seconds === undefined ? {} : { seconds }), ...(imei === undefined ? {} : { imei }),
      ...(mccmnc === undefined ? {} : { mccmnc }), ...(leak === undefined ? {} : { leak }),
    });
    return { record, files: write === true ? writeFiles() : [] };
  });
  server.app.post('/_control/files', async () => ({ files: writeFiles() }));
  server.app.get('/_control/register', async () => ({ subscribers: register.subscribers, forgotten: register.forgotten, records: register.records }));

  const url = await server.listen(options.port ?? 0);
  const everyMs = options.fileEveryMs === undefined ? 3_600_000 : options.fileEveryMs;
  const timer = everyMs === null ? undefined : setInterval(writeFiles, everyMs);
  return {
    url, apiKey, feedFolder: options.feedFolder, faults: server.faults, use, writeFiles,
    subscriber: (iccid) => register.subscriber(iccid),
    register: () => ({ subscribers: register.subscribers, forgotten: register.forgotten, records: register.records }),
    async stop() {
      clearInterval(timer);
      await server.stop();
      register.close();
    },
  };
}
