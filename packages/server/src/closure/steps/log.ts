import { bundleOf, formatBundle } from '@yuanyou/proof';
import { ServiceError } from '../../platform/errors.ts';
import type { ClosureDeps } from '../ports.ts';
import * as store from '../store.ts';
import { done } from './step.ts';
import type { Step } from './step.ts';

/** 11b. The log gives the leaf its place and signs a checkpoint; the bundle holds certificate and proof, and never changes again. */
export function log(deps: ClosureDeps): Step {
  return {
    name: 'log',
    async run({ input, now, transaction }) {
      const certificate = await store.certificateOf(deps.db, input.caseId);
      if (certificate === undefined) throw new ServiceError('closure/no-certificate', { caseId: input.caseId });
      if (certificate.bundle !== null) return done;
      await deps.log.sequence();
      const evidence = await deps.log.evidence(certificate.leafId);
      if (evidence === undefined) return { kind: 'waiting', on: 'system', until: new Date(now().getTime() + 1000) };
      const bundle = formatBundle(bundleOf({ certificate: certificate.jws, salt: Buffer.from(certificate.salt, 'hex'), log: evidence }));
      await transaction((tx) => store.saveBundle(tx, input.caseId, bundle));
      return done;
    },
  };
}
