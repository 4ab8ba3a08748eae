import { assemble, certificateLeaf, signingInput } from '@yuanyou/proof';
import { newId } from '../../platform/ids.ts';
import { requireEnvelope } from '../envelope.ts';
import type { ClosureDeps } from '../ports.ts';
import { statementFor } from '../statement.ts';
import * as store from '../store.ts';
import { caseOf, done } from './step.ts';
import type { Step } from './step.ts';

/**
 * 11a. The certificate over what was in fact done. An ECDSA signature differs at each run, so it is signed, then stored in the transaction
 * that also appends its leaf to the log: the first one stored is the only one there will ever be.
 */
export function certify(deps: ClosureDeps): Step {
  return {
    name: 'certify',
    async run({ input, now, transaction }) {
      if ((await store.certificateOf(deps.db, input.caseId)) !== undefined) return done;
      const theCase = await caseOf(deps.db, input.caseId);
      const envelope = await requireEnvelope(deps, theCase);
      const statement = await statementFor(deps, theCase, envelope, now());
      const toSign = signingInput(statement, { alg: 'ES256', typ: 'vc+jwt', kid: deps.issuer.keyId });
      const jws = assemble(toSign, deps.issuer.sign(toSign));
      const leafId = newId(now().getTime());
      const salt = Buffer.from(envelope.leafSalt, 'hex');
      await transaction(async (tx) => {
        const first = await store.insertCertificate(tx, input.caseId, { leafId, jws, salt: envelope.leafSalt, issuedAt: now() });
        if (first) await deps.log.append(tx, { leafId, entry: certificateLeaf(jws, salt) });
      });
      return done;
    },
  };
}
