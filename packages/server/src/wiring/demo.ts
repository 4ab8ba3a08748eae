import { join } from 'node:path';
import type { Catalogue } from '../catalogue/index.ts';
import type { Inventory } from '../inventory/index.ts';
import type { Partners } from '../partners/index.ts';
import type { Transactor } from '../platform/db/index.ts';

interface DemoDeps {
  readonly db: Transactor;
  readonly partners: Partners;
  readonly inventory: Inventory;
  readonly catalogue: Catalogue;
}

/** Where the simulator of the demo operators answers, and where it leaves the usage files of the first. */
interface DemoOperator {
  readonly url: string;
  readonly apiKey: string;
  readonly feedFolder: string;
}

/** The demo operators; `stock` is what each begins with, and is filled up to at each start. */
const operators = [
  { code: 'sakura-demo', name: 'Sakura Mobile (demo)', plmn: '44099', iccidPrefix: '8981099', costPerGigabyteMinor: 80, stock: 200 },
  { code: 'alpen-demo', name: 'Alpen Mobil (demo)', plmn: '22899', iccidPrefix: '8941099', costPerGigabyteMinor: 70, stock: 60 },
  { code: 'prairie-demo', name: 'Prairie Wireless (demo)', plmn: '310999', iccidPrefix: '8901099', costPerGigabyteMinor: 95, stock: 60 },
  { code: 'baobab-demo', name: 'Baobab Telecom (demo)', plmn: '65599', iccidPrefix: '8927099', costPerGigabyteMinor: 110, stock: 60 },
] as const;

/** The first operator's files arrive where the simulator says, the others' in folders beside. */
function feedFolderOf(code: string, first: boolean, { feedFolder }: DemoOperator): string {
  return first ? feedFolder : join(feedFolder, '..', code);
}

type Stock = Awaited<ReturnType<Inventory['counts']>>;

async function fillUp(deps: DemoDeps, stock: Stock, operatorId: string, operator: (typeof operators)[number]): Promise<void> {
  const byState = stock.find((row) => row.operatorId === operatorId)?.byState;
  const available = byState?.available ?? 0;
  if (available >= operator.stock / 2) return;
  const made = Object.values(byState ?? {}).reduce<number>((sum, count) => sum + count, 0);
  const { iccidPrefix, plmn } = operator;
  await deps.inventory.generateStock(operatorId, operator.stock - available, { iccidPrefix, plmn, firstSerial: made + 1 });
}

/** Seeds demo operators with stock and the demo catalogue. Repeatable: what is there stays. */
export async function seedDemo(deps: DemoDeps, demo: DemoOperator): Promise<void> {
  const ids = new Map<string, string>();
  for (const { code, name, plmn, costPerGigabyteMinor } of operators) {
    const feedFolder = feedFolderOf(code, ids.size === 0, demo);
    ids.set(code, await deps.partners.ensureOperator({
      code, name, plmns: [plmn], restUrl: demo.url, apiKey: demo.apiKey, feedFolder, costPerGigabyteMinor, currency: 'EUR',
    }));
  }
  const stock = await deps.inventory.counts(deps.db);
  for (const operator of operators) await fillUp(deps, stock, ids.get(operator.code)!, operator);
  await deps.db.transaction((tx) => deps.catalogue.seedDemo(tx, ids));
}
