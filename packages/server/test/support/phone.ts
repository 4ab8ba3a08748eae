import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { lineRoutes } from '@yuanyou/contract';
import type { CurveName } from '@yuanyou/rsp';
import { deleteProfile, disableProfile, download, enableProfile, sendNotifications } from '@yuanyou/rsp/lpa';
import type { LpaAnswer, LpaRequest, LpaRun } from '@yuanyou/rsp/lpa';
import { createTestEuicc, runEuicc, testEid } from '@yuanyou/rsp/testing';
import type { EuiccIssuer, RunningEuicc } from '@yuanyou/rsp/testing';
import type { House } from './house.ts';
import type { Traveller } from './traveller.ts';

/** A phone with a virtual eUICC, which reaches our SM-DP+ over TLS. Nothing is reported until it says so. */
export interface Phone {
  readonly eid: string;
  /** Downloads what the line's activation code leads to. */
  download(traveller: Traveller, lineId: string): Promise<void>;
  enable(iccid: string): Promise<void>;
  remove(iccid: string): Promise<void>;
  /** Brings the signed notifications to the SM-DP+ and lets the house take them up. */
  report(): Promise<void>;
}

type Es9plusRequest = Extract<LpaRequest, { kind: 'es9plus' }>;

let phones = 0;

function issuersOf(house: House): EuiccIssuer[] {
  const file = (name: string): Buffer => readFileSync(join(house.config.es9.pki.folder, name));
  return ([['p256', 'P-256'], ['bp256', 'brainpoolP256r1']] as const satisfies readonly (readonly [string, CurveName])[]).map(([name, curve]) => {
    const certificate = file(`eum-${name}.der`);
    const { validFrom, validTo } = new X509Certificate(certificate);
    // The scalar of an ECPrivateKey (RFC 5915) on a 256-bit curve follows SEQUENCE, version and its own header.
    const privateKey = createPrivateKey(file(`eum-${name}.key.pem`)).export({ format: 'der', type: 'sec1' }).subarray(7, 39);
    return { curve, ci: { certificate: file(`ci-${name}.der`) }, eum: { certificate, privateKey }, notBefore: new Date(validFrom), notAfter: new Date(validTo) };
  });
}

function exchange(house: House, ca: string, { path, body }: Es9plusRequest): Promise<LpaAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request({
      host: '127.0.0.1', servername: 'localhost', port: house.config.es9.port, path, method: 'POST', ca, agent: false,
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), 'x-admin-protocol': 'gsma/rsp/v2.3.0' },
    }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part)).on('error', reject)
        .on('end', () => { resolve({ kind: 'es9plus', status: response.statusCode!, body: Buffer.concat(parts) }); });
    });
    sent.on('error', reject).end(body);
  });
}

async function converse<T>(house: House, ca: string, euicc: RunningEuicc, run: LpaRun<T>): Promise<T> {
  let step = run.next();
  while (!step.done) {
    const asked = step.value;
    step = run.next(asked.kind === 'apdu' ? { kind: 'apdu', apdu: euicc.transmit(asked.apdu) } : await exchange(house, ca, asked));
  }
  return step.value;
}

function expectOk(answer: string): void {
  if (answer !== 'ok') throw new Error(`the eUICC answered ${answer}`);
}

export function newPhone(house: House): Phone {
  phones += 1;
  const random = (bytes: number): Uint8Array => randomBytes(bytes);
  const euicc = runEuicc(createTestEuicc(issuersOf(house), testEid(process.pid * 100 + phones), random), { now: () => house.clock.now(), random });
  const ca = new X509Certificate(readFileSync(join(house.config.es9.pki.folder, 'ci-p256.der'))).toString();
  const run = <T>(conversation: LpaRun<T>): Promise<T> => converse(house, ca, euicc, conversation);
  return {
    eid: euicc.eid,
    async download(traveller, lineId) {
      const { body } = await traveller.client.call(lineRoutes.getActivation, { params: { lineId } });
      const outcome = await run(download({ activationCode: body.activationCode }));
      if (!outcome.installed) throw new Error(JSON.stringify(outcome));
    },
    enable: async (iccid) => { expectOk(await run(enableProfile(iccid))); },
    async remove(iccid) {
      await run(disableProfile(iccid));
      expectOk(await run(deleteProfile(iccid)));
    },
    async report() {
      await run(sendNotifications());
      await house.run();
    },
  };
}
