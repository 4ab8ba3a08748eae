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

/** The stock a demo begins with, and is filled up to at each start. */
const demoStock = 200;

/** Seeds a demo operator with stock and the demo plans. Repeatable: what is there stays. */
export async function seedDemo(deps: DemoDeps, operator: { readonly url: string; readonly apiKey: string; readonly feedFolder: string }): Promise<void> {
  const operatorId = await deps.partners.ensureOperator({
    code: 'sakura-demo', name: 'Sakura Mobile (demo)', plmns: ['44099'], restUrl: operator.url, apiKey: operator.apiKey, feedFolder: operator.feedFolder,
    costPerGigabyteMinor: 80, currency: 'EUR',
  });
  const stock = (await deps.inventory.counts(deps.db)).find((row) => row.operatorId === operatorId);
  const available = stock?.byState.available ?? 0;
  const made = Object.values(stock?.byState ?? {}).reduce<number>((sum, count) => sum + count, 0);
  if (available < demoStock / 2) {
    await deps.inventory.generateStock(operatorId, demoStock - available, { iccidPrefix: '8981099', plmn: '44099', firstSerial: made + 1 });
  }
  await deps.db.transaction((tx) => deps.catalogue.seedDemo(tx, [operatorId]));
}
