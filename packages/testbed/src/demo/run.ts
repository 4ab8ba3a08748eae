import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '@yuanyou/contract';
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

/** Performs the main job against a service of its own in `folder`; answers true when a step failed. */
export async function runDemo(folder: string, say: (line: string) => void): Promise<boolean> {
  const artefacts = join(folder, 'artefacts');
  mkdirSync(artefacts, { recursive: true });
  mkdirSync(join(folder, 'data'), { recursive: true, mode: 0o700 });
  let instance: Instance | undefined;
  let journey: Journey | undefined;
  const act = (one: Act) => ({ name: one.name, run: () => one.run(known(journey, 'the start')) });
  const state = join(folder, 'state.json');
  const steps = [
    {
      name: 'start the service, its database and its counterparts',
      async run() {
        instance = await startInstance({ dataFolder: join(folder, 'data'), anyPorts: true, logFile: join(folder, 'data', 'server.log'), env: { YUANYOU_FEED_SECONDS: '1' } });
        const { publicUrl: apiUrl, simulators } = instance;
        const places = { apiUrl, gatewayUrl: simulators.gateway.url, operatorUrl: simulators.operator.url, inboxUrl: simulators.inbox.url, artefacts };
        const phone = createDevelopmentPhone({ pkiFolder: join(instance.dataFolder, 'pki') });
        journey = { traveller: demoTraveller, places, client: createClient({ baseUrl: apiUrl }), phone, agentSecret: await firstAgent(apiUrl, { ...process.env, YUANYOU_DATA: instance.dataFolder, YUANYOU_MODE: 'development' }) };
        return `${apiUrl}, ES9+ at ${instance.es9Address}`;
      },
    },
    ...buying.map(act),
    ...leaving.map(act),
    {
      name: 'another process checks the database, the counterparts’ books and the artefacts',
      async run() {
        const { dataFolder, publicUrl } = known(instance, 'the start');
        writeFileSync(state, JSON.stringify({ dataFolder, publicUrl, artefacts, refundMinor: known(journey, 'the start').refundMinor }));
        const { code, out } = await run(programs.check, [state]);
        expectThat(code === 0, `every check to pass:\n${out}`);
        return out.trim().split('\n').join('\n      ');
      },
    },
    {
      name: 'stop the service; verify the certificate offline',
      async run() {
        await known(instance, 'the start').stop();
        instance = undefined;
        return verifyOffline(artefacts);
      },
    },
  ];
  const whole = await perform(say, steps);
  await instance?.stop();
  say(whole ? '\nThe whole way, from sign-up to a certificate that verifies.' : '\nThe demo failed.');
  return !whole;
}
