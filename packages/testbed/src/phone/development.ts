import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CurveName } from '@yuanyou/rsp';
import { testEid } from '@yuanyou/rsp/testing';
import type { EuiccIssuer } from '@yuanyou/rsp/testing';
import { createPhone } from './index.ts';
import type { Es9plusOptions, Phone } from './index.ts';

const curves: readonly (readonly [string, CurveName])[] = [['p256', 'P-256'], ['bp256', 'brainpoolP256r1']];

/** The EUMs of a development PKI: their keys lie in its folder so that virtual eUICCs can be made. */
export function developmentIssuers(pkiFolder: string): EuiccIssuer[] {
  return curves.map(([name, curve]) => {
    const file = (what: string): Buffer => readFileSync(join(pkiFolder, what));
    const certificate = file(`eum-${name}.der`);
    // ECPrivateKey (RFC 5915) of a 256-bit curve: the scalar follows SEQUENCE, version and its own header. JWK knows no Brainpool.
    const scalar = createPrivateKey(file(`eum-${name}.key.pem`)).export({ format: 'der', type: 'sec1' }).subarray(7, 39);
    const { validFrom, validTo } = new X509Certificate(certificate);
    return {
      curve, ci: { certificate: file(`ci-${name}.der`) }, eum: { certificate, privateKey: scalar },
      notBefore: new Date(validFrom), notAfter: new Date(validTo),
    };
  });
}

/** A phone that the development service knows: its eUICC is issued under the development EUM, and it trusts the development CI for TLS. */
export function createDevelopmentPhone(options: {
  readonly pkiFolder: string; readonly index?: number; readonly statePath?: string; readonly locate?: Es9plusOptions['locate'];
}): Phone {
  const tlsCa = new X509Certificate(readFileSync(join(options.pkiFolder, 'ci-p256.der'))).toString();
  return createPhone({
    eid: testEid(options.index ?? 1), issuers: developmentIssuers(options.pkiFolder), tlsCa,
    ...(options.statePath === undefined ? {} : { statePath: options.statePath }), ...(options.locate === undefined ? {} : { locate: options.locate }),
  });
}
