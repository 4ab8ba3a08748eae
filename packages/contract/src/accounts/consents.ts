import { z } from 'zod';
import { id, instant } from '../core/ids.ts';
import { route } from '../core/route.ts';

/** What one can agree to. `terms` and `privacy` are needed to go on using the service; the rest is free. */
export const documentKind = z.enum(['terms', 'privacy', 'marketing']).meta({ id: 'DocumentKind' });

/** One of the kinds of documents. */
export type DocumentKind = z.infer<typeof documentKind>;

const version = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.-]{0,39}$/).meta({ example: '2026-11' });

/** A version of a document, in force from `effectiveAt` until the next one. */
export const document = z.object({
  kind: documentKind, version, url: z.url().max(500), required: z.boolean(),
  /** SHA-256 of the text, in hexadecimal: what was agreed to can be shown later. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/), effectiveAt: instant,
}).meta({ id: 'Document' });

/** Somebody agreed to a version of a document, or took that back. */
export const consent = z.object({ id, kind: documentKind, version, granted: z.boolean(), at: instant }).meta({ id: 'Consent' });

const { kind: _kind, required: _required, ...published } = document.shape;

/** Routes of terms and consents. */
export const consentRoutes = {
  listDocuments: route({
    operationId: 'listDocuments', method: 'GET', path: '/v1/documents', tag: 'Account', audience: 'public',
    summary: 'Terms and other documents in force', responses: { 200: z.object({ items: z.array(document) }) },
  }),
  publishDocument: route({
    operationId: 'publishDocument', method: 'PUT', path: '/v1/documents/:kind/versions/:version', tag: 'Account', audience: 'agent',
    permission: 'documents:write', summary: 'Publishes a version of a document; a version never changes',
    params: z.strictObject({ kind: documentKind, version }), body: z.strictObject({ url: published.url, sha256: published.sha256, effectiveAt: instant }),
    responses: { 200: document }, problems: ['accounts/document-fixed'],
  }),
  getConsents: route({
    operationId: 'getConsents', method: 'GET', path: '/v1/account/consents', tag: 'Account', audience: 'traveller', whileLeaving: true,
    summary: 'What the account agreed to, newest first, and which documents in force are still to be agreed to',
    responses: { 200: z.object({ consents: z.array(consent), due: z.array(document) }) },
  }),
  recordConsents: route({
    operationId: 'recordConsents', method: 'POST', path: '/v1/account/consents', tag: 'Account', audience: 'traveller', idempotent: true,
    summary: 'Agrees to documents in force, or takes a consent back',
    body: z.strictObject({ decisions: z.array(z.strictObject({ kind: documentKind, version, granted: z.boolean() })).min(1).max(10) }),
    responses: { 201: z.object({ consents: z.array(consent) }) }, problems: ['accounts/document-not-in-force', 'accounts/consent-needed'],
  }),
} as const;
