import { runSync } from '../lpa/index.ts';
import type { LpaAnswer, LpaRequest, LpaRun } from '../lpa/index.ts';
import type { RunningEuicc } from './euicc.ts';

/** Runs a conversation of the LPA against a virtual eUICC and, where it asks for one, an SM-DP+ in memory. */
export function runWith<T>(
  euicc: RunningEuicc, run: LpaRun<T>, smdp?: (request: Extract<LpaRequest, { kind: 'es9plus' }>) => Extract<LpaAnswer, { kind: 'es9plus' }>,
): T {
  return runSync(run, (request) => {
    if (request.kind === 'apdu') return { kind: 'apdu', apdu: euicc.transmit(request.apdu) };
    if (!smdp) throw new Error('no SM-DP+ to ask');
    return smdp(request);
  });
}
