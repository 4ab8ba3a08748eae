import { z } from 'zod';
import { id, instant } from '../core/ids.ts';

const base64url = (longest: number) => z.string().max(longest).regex(/^[A-Za-z0-9_-]*$/);
const credentialId = base64url(1400);
const credentialKind = z.literal('public-key');
const attachment = z.enum(['platform', 'cross-platform']).nullish();
const extensionResults = z.record(z.string().max(60), z.unknown()).default({});

/** What `navigator.credentials.create` made, as `PublicKeyCredential.toJSON` writes it (Web Authentication, RegistrationResponseJSON). */
export const passkeyCreated = z.object({
  id: credentialId, rawId: credentialId, type: credentialKind, authenticatorAttachment: attachment, clientExtensionResults: extensionResults,
  response: z.object({
    clientDataJSON: base64url(4000), attestationObject: base64url(20_000), authenticatorData: base64url(8000).optional(),
    transports: z.array(z.string().max(20)).max(10).default([]), publicKey: base64url(4000).nullish(), publicKeyAlgorithm: z.int().optional(),
  }),
}).meta({ id: 'PasskeyCreated' });

/** What `navigator.credentials.get` answered, as `PublicKeyCredential.toJSON` writes it (Web Authentication, AuthenticationResponseJSON). */
export const passkeyAssertion = z.object({
  id: credentialId, rawId: credentialId, type: credentialKind, authenticatorAttachment: attachment, clientExtensionResults: extensionResults,
  response: z.object({
    clientDataJSON: base64url(4000), authenticatorData: base64url(8000), signature: base64url(4000), userHandle: base64url(100).nullish(),
  }),
}).meta({ id: 'PasskeyAssertion' });

const descriptor = z.object({ id: z.string(), type: credentialKind, transports: z.array(z.string()).optional() });

/** For `PublicKeyCredential.parseCreationOptionsFromJSON` (Web Authentication, PublicKeyCredentialCreationOptionsJSON). */
export const passkeyCreationOptions = z.object({
  rp: z.object({ id: z.string(), name: z.string() }),
  user: z.object({ id: z.string(), name: z.string(), displayName: z.string() }),
  challenge: z.string(),
  pubKeyCredParams: z.array(z.object({ type: credentialKind, alg: z.int() })),
  timeout: z.int(),
  excludeCredentials: z.array(descriptor),
  authenticatorSelection: z.object({ residentKey: z.string(), requireResidentKey: z.boolean(), userVerification: z.string() }),
  attestation: z.literal('none'),
}).meta({ id: 'PasskeyCreationOptions' });

/** For `PublicKeyCredential.parseRequestOptionsFromJSON` (Web Authentication, PublicKeyCredentialRequestOptionsJSON). */
export const passkeyRequestOptions = z.object({
  challenge: z.string(), rpId: z.string(), timeout: z.int(), userVerification: z.literal('required'), allowCredentials: z.array(descriptor),
}).meta({ id: 'PasskeyRequestOptions' });

/** A challenge to sign; it counts once, until `expiresAt`. */
export const passkeyRequest = z.object({ challengeId: id, expiresAt: instant, options: passkeyRequestOptions }).meta({ id: 'PasskeyRequest' });

/** A challenge for a new passkey; it counts once, until `expiresAt`. */
export const passkeyCreation = z.object({ challengeId: id, expiresAt: instant, options: passkeyCreationOptions }).meta({ id: 'PasskeyCreation' });

/** A challenge that was signed. */
export const passkeyProof = z.strictObject({ challengeId: id, assertion: passkeyAssertion }).meta({ id: 'PasskeyProof' });

/** A passkey as its owner sees it. `backedUp`: it lives on more than one device. */
export const passkey = z.object({
  id, name: z.string(), backedUp: z.boolean(), createdAt: instant, lastUsedAt: instant.nullable(),
}).meta({ id: 'Passkey' });
