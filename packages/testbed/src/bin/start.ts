import { ServerEnded, startInstance, type Instance } from '../instance/index.ts';

/** `npm start`: the service with everything around it that development needs, until SIGTERM or Ctrl-C. */
async function main(): Promise<number> {
  if (process.env['YUANYOU_MODE'] === 'production') {
    throw new Error('npm start brings up simulators and is for development; in production run packages/server/src/main.ts');
  }
  const stop = whenAskedToStop();
  const instance = await startInstance({ dataFolder: process.env['YUANYOU_DATA'] || './data' });
  process.stdout.write(greeting(instance));
  const ended = await Promise.race([stop, instance.ended]);
  await instance.stop();
  return ended === 'asked' ? 0 : ended;
}

function whenAskedToStop(): Promise<'asked'> {
  return new Promise((resolve) => {
    process.on('SIGTERM', () => { resolve('asked'); });
    process.on('SIGINT', () => { resolve('asked'); });
    // npm hands a signal to its shell only, which may end without passing it on: then this process changes its parent.
    const parent = process.ppid;
    if (process.env['npm_lifecycle_event'] !== undefined) setInterval(() => { if (process.ppid !== parent) resolve('asked'); }, 200).unref();
  });
}

function greeting({ publicUrl, es9Address, simulators, dataFolder }: Instance): string {
  const lines = [
    ['API', publicUrl, 'described at /openapi.json'],
    ['ES9+', `https://${es9Address}`, 'for phones'],
    ['Mail', `${simulators.inbox.url}/messages`, 'what the service sends arrives here'],
    ['Gateway', simulators.gateway.url, 'payments, simulated'],
    ['Operator', simulators.operator.url, 'a mobile network, simulated'],
    ['Data', dataFolder, ''],
  ].map(([what = '', where = '', about = '']) => `  ${what.padEnd(9)} ${where.padEnd(34)} ${about}`.trimEnd());
  return ['', 'Yuanyou runs in development mode.', ...lines, 'Ctrl-C stops it.', '', ''].join('\n');
}

try {
  process.exitCode = await main();
} catch (error) {
  // The server has said why in a line of its own.
  if (!(error instanceof ServerEnded)) process.stderr.write(`yuanyou: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof ServerEnded ? error.exitCode : 1;
}
process.exit();
