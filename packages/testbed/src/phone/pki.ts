import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseCertificate } from '@yuanyou/rsp';
import type { EuiccIssuer } from '@yuanyou/rsp/testing';

/** What a phone of the development PKI needs. */
export interface PhonePki {
  /** One for each curve, P-256 first. */
  readonly issuers: readonly EuiccIssuer[];
  /** PEM of the CIs. */
  readonly tlsCa: readonly string[];
}

/**
 * Reads the development PKI that the server has made in its data folder (`pki`): for each `eum-*.der` with its key the CI above it.
 * @throws when the folder has no EUM's key: it is no development PKI, or the server has not been started yet
 */
export function readPhonePki(folder: string): PhonePki {
  const names = readdirSync(folder);
  const curves = names.flatMap((name) => /^eum-(.+)\.key\.pem$/.exec(name)?.[1] ?? []).toSorted().toReversed();
  if (curves.length === 0) throw new Error(`${folder} holds no key of an EUM`);
  const der = (name: string): Buffer => readFileSync(join(folder, name));
  return {
    issuers: curves.map((curve) => {
      const certificate = der(`eum-${curve}.der`);
      const eum = parseCertificate(certificate);
      const privateKey = scalarOf(readFileSync(join(folder, `eum-${curve}.key.pem`), 'utf8'));
      return {
        curve: eum.publicKey.curve, ci: { certificate: der(`ci-${curve}.der`) }, eum: { certificate, privateKey }, notBefore: eum.notBefore, notAfter: eum.notAfter,
      };
    }),
    tlsCa: names.filter((name) => /^ci-.+\.der$/.test(name)).map((name) => new X509Certificate(der(name)).toString()),
  };
}

/** The 32 bytes of a private key; an ECPrivateKey (RFC 5915) on a 256-bit curve has them from its eighth byte on. */
function scalarOf(pem: string): Uint8Array {
  return createPrivateKey(pem).export({ format: 'der', type: 'sec1' }).subarray(7, 39);
}
