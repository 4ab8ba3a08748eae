/** What a field's text must be. */
export type FieldKind =
  /** Base64 of bytes; `bytes` their exact number where it is fixed. */
  | { readonly kind: 'base64'; readonly bytes?: number }
  /** Hexadecimal of 1 to 16 bytes; compared without regard to case, kept in upper case. */
  | { readonly kind: 'transactionId' }
  | { readonly kind: 'text'; readonly maxLength: number };

interface FunctionRow {
  /** Path of the POST request. */
  readonly path: string;
  readonly request: Readonly<Record<string, FieldKind>>;
  readonly response: Readonly<Record<string, FieldKind>>;
  /** Largest bodies in bytes. */
  readonly maxRequestBytes: number;
  readonly maxResponseBytes: number;
  /** True where success is 204 with an empty body. */
  readonly answersNothing?: true;
}

const base64 = { kind: 'base64' } as const;
const transactionId = { kind: 'transactionId' } as const;

/** The five functions of ES9+ in their JSON binding, each declared once: server and LPA follow from this table. */
export const es9plusFunctions = {
  initiateAuthentication: {
    path: '/gsma/rsp2/es9plus/initiateAuthentication',
    request: { euiccChallenge: { kind: 'base64', bytes: 16 }, euiccInfo1: base64, smdpAddress: { kind: 'text', maxLength: 255 } },
    response: {
      transactionId, serverSigned1: base64, serverSignature1: base64, euiccCiPKIdToBeUsed: base64, serverCertificate: base64,
    },
    maxRequestBytes: 8_192,
    maxResponseBytes: 16_384,
  },
  authenticateClient: {
    path: '/gsma/rsp2/es9plus/authenticateClient',
    request: { transactionId, authenticateServerResponse: base64 },
    response: { transactionId, profileMetadata: base64, smdpSigned2: base64, smdpSignature2: base64, smdpCertificate: base64 },
    maxRequestBytes: 32_768,
    maxResponseBytes: 32_768,
  },
  getBoundProfilePackage: {
    path: '/gsma/rsp2/es9plus/getBoundProfilePackage',
    request: { transactionId, prepareDownloadResponse: base64 },
    response: { transactionId, boundProfilePackage: base64 },
    maxRequestBytes: 8_192,
    maxResponseBytes: 3_145_728,
  },
  handleNotification: {
    path: '/gsma/rsp2/es9plus/handleNotification',
    request: { pendingNotification: base64 },
    response: {},
    maxRequestBytes: 32_768,
    maxResponseBytes: 1_024,
    answersNothing: true,
  },
  cancelSession: {
    path: '/gsma/rsp2/es9plus/cancelSession',
    request: { transactionId, cancelSessionResponse: base64 },
    response: {},
    maxRequestBytes: 8_192,
    maxResponseBytes: 4_096,
  },
} as const satisfies Readonly<Record<string, FunctionRow>>;

export type Es9plusFunction = keyof typeof es9plusFunctions;

type Values<F> = { readonly [K in keyof F]: F[K] extends { readonly kind: 'base64' } ? Uint8Array : string };

/** A request's fields: bytes, or text. */
export type Es9plusRequest<F extends Es9plusFunction> = Values<(typeof es9plusFunctions)[F]['request']>;

/** A successful answer's fields. */
export type Es9plusResponse<F extends Es9plusFunction> = Values<(typeof es9plusFunctions)[F]['response']>;

/** Largest request body of all functions. */
export const MAX_ES9PLUS_REQUEST_BYTES = Math.max(...Object.values(es9plusFunctions).map(({ maxRequestBytes }) => maxRequestBytes));
