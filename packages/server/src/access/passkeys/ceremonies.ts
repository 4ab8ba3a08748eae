import { generateAuthenticationOptions, generateRegistrationOptions, verifyAuthenticationResponse, verifyRegistrationResponse } from '@simplewebauthn/server';
import type { passkeyAssertion, passkeyCreated, passkeyCreationOptions, passkeyRequestOptions } from '@yuanyou/contract';
import type { z } from 'zod';
import { ServiceError } from '../../platform/errors.ts';

/** Where browsers reach the service. */
export interface Site {
  /** What browsers and authenticator apps call the service. */
  readonly name: string;
  /** The host of this address is the relying party's id: passkeys are bound to it for good. */
  readonly publicUrl: string;
  /** Further origins whose pages may ask for passkeys; they lie below the same host. */
  readonly origins?: readonly string[];
}

/** A passkey as it is kept, sealed. Binary values are base64url. */
export interface Credential {
  readonly credentialId: string;
  readonly publicKey: string;
  readonly transports: readonly string[];
}

export interface CreatedCredential extends Credential {
  readonly signCount: number;
  readonly backedUp: boolean;
}

type CreationOptions = z.output<typeof passkeyCreationOptions>;
type RequestOptions = z.output<typeof passkeyRequestOptions>;

/** Web Authentication's two ceremonies, without a table: whoever keeps passkeys keeps challenges and counters too. */
export interface Ceremonies {
  creationOptions(given: {
    readonly holderId: string; readonly name: string; readonly displayName: string; readonly challenge: Uint8Array; readonly known: readonly Credential[];
  }): Promise<CreationOptions>;
  /** Undefined when it is not what was asked for. */
  verifyCreated(created: z.output<typeof passkeyCreated>, challenge: Uint8Array): Promise<CreatedCredential | undefined>;
  requestOptions(given: { readonly challenge: Uint8Array; readonly known: readonly Credential[] }): Promise<RequestOptions>;
  /** Undefined when the signature, the challenge, the origin, the holder or the counter is not right. */
  verifyAssertion(
    assertion: z.output<typeof passkeyAssertion>, challenge: Uint8Array, credential: Credential & { readonly holderId: string; readonly signCount: number },
  ): Promise<{ readonly signCount: number; readonly backedUp: boolean } | undefined>;
}

const algorithms = [-7, -257];
const timeoutMs = 300_000;
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
const bytesOf = (base64url: string) => new Uint8Array(Buffer.from(base64url, 'base64url'));
const handleOf = (holderId: string) => new Uint8Array(Buffer.from(holderId.replace(/-/g, ''), 'hex'));
const descriptors = (known: readonly Credential[]) => known.map(({ credentialId, transports }) => ({ id: credentialId, transports: [...transports] }));
const bounded = (list: readonly { id: string; transports?: string[] }[] | undefined) => (
  (list ?? []).map(({ id, transports }) => ({ id, type: 'public-key' as const, ...(transports === undefined ? {} : { transports }) })));

export function createCeremonies(site: Site | undefined): Ceremonies {
  const at = () => {
    if (site === undefined) throw new ServiceError('general/unavailable');
    const own = new URL(site.publicUrl);
    return { name: site.name, rpId: own.hostname, origins: [own.origin, ...site.origins ?? []] };
  };
  return {
    async creationOptions({ holderId, name, displayName, challenge, known }) {
      const { name: rpName, rpId } = at();
      const options = await generateRegistrationOptions({
        rpName, rpID: rpId, userID: handleOf(holderId), userName: name, userDisplayName: displayName, challenge: new Uint8Array(challenge), timeout: timeoutMs,
        attestationType: 'none', excludeCredentials: descriptors(known), supportedAlgorithmIDs: algorithms,
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      });
      return {
        rp: { id: rpId, name: rpName }, user: options.user, challenge: options.challenge, pubKeyCredParams: options.pubKeyCredParams, timeout: timeoutMs,
        excludeCredentials: bounded(options.excludeCredentials), attestation: 'none',
        authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
      };
    },
    async verifyCreated(created, challenge) {
      const { rpId, origins } = at();
      const verified = await quietly(verifyRegistrationResponse({
        response: created as never, expectedChallenge: text(challenge), expectedOrigin: origins, expectedRPID: rpId, requireUserVerification: true,
        supportedAlgorithmIDs: algorithms,
      }));
      if (verified?.verified !== true) return undefined;
      const { credential, credentialBackedUp } = verified.registrationInfo;
      return {
        credentialId: credential.id, publicKey: text(credential.publicKey), transports: created.response.transports, signCount: credential.counter,
        backedUp: credentialBackedUp,
      };
    },
    async requestOptions({ challenge, known }) {
      const { rpId } = at();
      const options = await generateAuthenticationOptions({
        rpID: rpId, challenge: new Uint8Array(challenge), allowCredentials: descriptors(known), userVerification: 'required', timeout: timeoutMs,
      });
      return { challenge: options.challenge, rpId, timeout: timeoutMs, userVerification: 'required', allowCredentials: bounded(options.allowCredentials) };
    },
    async verifyAssertion(assertion, challenge, credential) {
      const { rpId, origins } = at();
      const { userHandle } = assertion.response;
      if (userHandle !== undefined && userHandle !== null && userHandle !== text(handleOf(credential.holderId))) return undefined;
      const verified = await quietly(verifyAuthenticationResponse({
        response: assertion as never, expectedChallenge: text(challenge), expectedOrigin: origins, expectedRPID: rpId, requireUserVerification: true,
        credential: { id: credential.credentialId, publicKey: bytesOf(credential.publicKey), counter: credential.signCount },
      }));
      if (verified?.verified !== true) return undefined;
      return { signCount: verified.authenticationInfo.newCounter, backedUp: verified.authenticationInfo.credentialBackedUp };
    },
  };
}

/** The library throws for whatever is wrong with an answer; outside that is one refusal. */
async function quietly<T>(verifying: Promise<T>): Promise<T | undefined> {
  try {
    return await verifying;
  } catch {
    return undefined;
  }
}
