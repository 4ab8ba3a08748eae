import { createPhone, readPhonePki, type Phone } from '../packages/testbed/src/phone/index.ts';
import { testEid } from '../packages/rsp/src/testing/index.ts';

/** A process of phones: told what to download, it makes an eUICC for each, says `ready`, and downloads them all on `go`. */
interface Task {
  readonly pki: string;
  readonly curve: string;
  readonly atOnce: number;
  readonly firstEid: number;
  readonly activationCodes: readonly string[];
}

interface Errand {
  readonly phone: Phone;
  readonly activationCode: string;
}

function makeErrands({ pki, curve, firstEid, activationCodes }: Task): Errand[] {
  const { issuers, tlsCa } = readPhonePki(pki);
  const chosen = issuers.filter((issuer) => issuer.curve === curve);
  return activationCodes.map((activationCode, index) => ({
    phone: createPhone({ eid: testEid(firstEid + index), issuers: chosen, tlsCa }), activationCode,
  }));
}

async function run(errands: readonly Errand[], atOnce: number): Promise<void> {
  const queue = [...errands];
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (let next = queue.pop(); next; next = queue.pop()) {
      const outcome = await next.phone.download(next.activationCode, { report: true });
      if (!outcome.installed) throw new Error(`a download failed: ${JSON.stringify(outcome.failure)}`);
    }
  }));
}

process.once('message', (task: Task) => {
  const errands = makeErrands(task);
  process.once('message', () => {
    run(errands, task.atOnce).then(() => process.send!({ kind: 'done' }), (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    });
  });
  process.send!({ kind: 'ready' });
});
