import { accountsRoutes as routes } from '@yuanyou/contract';
import { endpoint } from '../../platform/http/index.ts';
import type { Endpoint } from '../../platform/http/index.ts';
import type { AccountsDeps } from '../deps.ts';
import { isRequired, listDue, publishDocument, recordConsents } from './consents.ts';
import * as store from './store.ts';

/** Far more than anybody decides in a lifetime of versions. */
const mostShown = 500;

export function consentEndpoints(deps: AccountsDeps): Endpoint[] {
  return [
    endpoint(routes.listDocuments, async () => ({ status: 200, body: { items: (await store.listInForce(deps.db, deps.clock.now())).map(shownDocument) } })),
    endpoint(routes.publishDocument, async ({ principal, params, body }) => {
      const row = { ...params, url: body.url, sha256: Buffer.from(body.sha256, 'hex'), effectiveAt: new Date(body.effectiveAt) };
      await publishDocument(deps, { kind: 'agent', id: principal.agentId }, row);
      return { status: 200, body: shownDocument(row) };
    }),
    endpoint(routes.getConsents, async ({ principal: { accountId } }) => ({
      status: 200,
      body: {
        consents: (await store.listConsents(deps.db, accountId, mostShown)).map(shownConsent),
        due: (await listDue(deps.db, accountId, deps.clock.now())).map(shownDocument),
      },
    })),
    endpoint(routes.recordConsents, async ({ principal: { accountId }, body, idempotencyKey }) => (
      { status: 201, body: { consents: (await recordConsents(deps, accountId, idempotencyKey, body.decisions)).map(shownConsent) } })),
  ];
}

function shownDocument({ kind, version, url, sha256, effectiveAt }: store.DocumentRow) {
  return { kind, version, url, required: isRequired(kind), sha256: sha256.toString('hex'), effectiveAt: effectiveAt.toISOString() };
}

function shownConsent({ id, kind, version, granted, at }: store.ConsentRow) {
  return { id, kind, version, granted, at: at.toISOString() };
}
