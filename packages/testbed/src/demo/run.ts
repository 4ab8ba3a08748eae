import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createClient } from '@yuanyou/contract';
import { readAddresses } from '../instance/addresses.ts';
import type { Addresses } from '../instance/addresses.ts';
import { startInstance } from '../instance/index.ts';
import type { Instance } from '../instance/index.ts';
import { createDevelopmentPhone } from '../phone/development.ts';
import { buying } from './buy.ts';
import { demoTraveller, expectThat, known } from './journey.ts';
import type { Act, Journey } from './journey.ts';
import { leaving } from './leave.ts';
import { firstAgent, programs, run } from './programs.ts';

/** The certificate verifies with the server stopped, and a copy with one changed byte does not. */
async function verifyOffline(artefacts: string): Promise<string> {
  const bundle = join(artefacts, 'closure.json');
  const trust = join(artefacts, 'trust.json');
  const good = await run(programs.yuanyou, ['verify', bundle, '--trust', trust]);
  expectThat(good.code === 0, `the certificate to verify: ${good.out}`);
  const bytes = readFileSync(bundle);
  const at = Math.floor(bytes.length / 2);
  bytes[at] = bytes[at]! ^ 0x01;
  const changed = join(artefacts, 'changed.json');
  writeFileSync(changed, bytes);
  const bad = await run(programs.yuanyou, ['verify', changed, '--trust', trust]);
  expectThat(bad.code === 1, 'a changed byte to be refused');
  return `valid; with byte ${at} changed: ${bad.out.trim().split('\n').find((line) => /refus|invalid|fail|✗|no /i.test(line))?.trim() ?? 'refused'}`;
}

/** Prints each step with its time and stops at the first that fails. */
async function perform(say: (line: string) => void, steps: readonly { readonly name: string; run(): Promise<string> }[]): Promise<boolean> {
  for (const [index, step] of steps.entries()) {
    const began = performance.now();
    const lead = `${String(index + 1).padStart(2)}. ${step.name}`;
    try {
      const told = await step.run();
      say(`${lead}\n      ${told}  [${((performance.now() - began) / 1000).toFixed(2)} s]`);
    } catch (error) {
      say(`${lead}\n      FAILED: ${error instanceof Error ? error.message : String(error)}  [${((performance.now() - began) / 1000).toFixed(2)} s]`);
      return false;
    }
  }
  return true;
}

export interface DemoOptions {
  /** Where everything goes: artefacts, and the data of a service of its own. */
  readonly folder: string;
  /** The data folder of a service that runs already; without it the demo starts one of its own. */
  readonly running?: string;
  readonly say: (line: string) => void;
}

/** The agent's session of an earlier run on the same service: the first admin is made once. */
async function agentOf(addresses: Addresses): Promise<string> {
  const kept = join(addresses.dataFolder, 'testbed', 'demo-agent');
  if (existsSync(kept)) return readFileSync(kept, 'utf8');
  const secret = await firstAgent(addresses.publicUrl, { ...process.env, YUANYOU_DATA: addresses.dataFolder, YUANYOU_MODE: 'development' });
  writeFileSync(kept, secret, { mode: 0o600 });
  return secret;
}

async function begin(addresses: Addresses, artefacts: string): Promise<Journey> {
  const { publicUrl: apiUrl, gatewayUrl, operatorUrl, inboxUrl, dataFolder } = addresses;
  const run = randomBytes(4).toString('hex');
  return {
    traveller: demoTraveller(run), places: { apiUrl, gatewayUrl, operatorUrl, inboxUrl, artefacts }, client: createClient({ baseUrl: apiUrl }),
    phone: createDevelopmentPhone({ pkiFolder: join(dataFolder, 'pki'), index: Number.parseInt(run, 16) }), agentSecret: await agentOf(addresses),
  };
}

async function checkApart(state: string, addresses: Addresses, journey: Journey): Promise<string> {
  const { traveller, places, refundMinor, caseNumber, iccid } = journey;
  const { dataFolder, publicUrl } = addresses;
  writeFileSync(state, JSON.stringify({ dataFolder, publicUrl, artefacts: places.artefacts, traveller, refundMinor, caseNumber, iccid }), { mode: 0o600 });
  const { code, out } = await run(programs.check, [state]);
  rmSync(state);
  expectThat(code === 0, `every check to pass:\n${out}`);
  return out.trim().split('\n').join('\n      ');
}

/** Performs the main job; answers true when a step failed. */
export async function runDemo({ folder, running, say }: DemoOptions): Promise<boolean> {
  const artefacts = join(folder, 'artefacts');
  const dataFolder = join(folder, 'data');
  mkdirSync(artefacts, { recursive: true });
  let own: Instance | undefined;
  let addresses: Addresses | undefined;
  let journey: Journey | undefined;
  const act = (one: Act) => ({ name: one.name, run: () => one.run(known(journey, 'the start')) });
  const steps = [
    {
      name: running === undefined ? 'start the service, its database and its counterparts' : 'find the running service and its counterparts',
      async run() {
        if (running === undefined) {
          mkdirSync(dataFolder, { mode: 0o700 });
          own = await startInstance({ dataFolder, anyPorts: true, logFile: join(dataFolder, 'server.log'), env: { YUANYOU_FEED_SECONDS: '1' } });
        }
        addresses = readAddresses(resolve(running ?? dataFolder));
        journey = await begin(addresses, artefacts);
        return `${addresses.publicUrl}, ES9+ at ${addresses.es9Address}`;
      },
    },
    ...buying.map(act),
    ...leaving.map(act),
    {
      name: 'another process checks the database, the counterparts’ books and the artefacts',
      run: () => checkApart(join(folder, 'state.json'), known(addresses, 'the start'), known(journey, 'the start')),
    },
    {
      name: running === undefined ? 'stop the service; verify the certificate offline' : 'verify the certificate, without the service',
      async run() {
        await own?.stop();
        own = undefined;
        return verifyOffline(artefacts);
      },
    },
  ];
  const whole = await perform(say, steps);
  await own?.stop();
  say(whole ? '\nThe whole way, from sign-up to a certificate that verifies.' : '\nThe demo failed.');
  return !whole;
}
