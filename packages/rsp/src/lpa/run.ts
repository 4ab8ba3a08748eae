import { decode, encode } from '../asn1/index.ts';
import { concatBytes } from '../bytes.ts';
import { RspError } from '../errors.ts';
import { es10Functions, getResponse, readResponse, statusText, statusWords, storeData } from '../es10/index.ts';
import type { Es10Answer, Es10Name, Es10Request, ResponseApdu } from '../es10/index.ts';
import { es9plusFunctions, readEs9plusAnswer, writeEs9plusRequest } from '../es9plus/index.ts';
import type { Es9plusAnswer, Es9plusFunction, Es9plusRequest } from '../es9plus/index.ts';

/** What an LPA asks of whoever runs it: to send an APDU to the eUICC, or to call a function of an SM-DP+. */
export type LpaRequest =
  | { readonly kind: 'apdu'; readonly apdu: Uint8Array }
  | {
    readonly kind: 'es9plus';
    /** SM-DP+ address: host, or host:port. */
    readonly address: string;
    readonly function: Es9plusFunction;
    /** Path of the POST request. */
    readonly path: string;
    /** JSON text. */
    readonly body: string;
  };

/** What comes back: the response APDU, or the HTTP answer with its body. */
export type LpaAnswer =
  | { readonly kind: 'apdu'; readonly apdu: Uint8Array }
  | { readonly kind: 'es9plus'; readonly status: number; readonly body: Uint8Array };

/** A conversation that can be run over any transport, synchronous or not: answer each request until it returns. */
export type LpaRun<T> = Generator<LpaRequest, T, LpaAnswer>;

/** How the eUICC is spoken to. */
export interface CardOptions {
  /** Logical channel, default 0. */
  readonly channel?: number;
  /** Data bytes of one STORE DATA, default 255. */
  readonly blockBytes?: number;
}

/** Longest answer of an eUICC that is put together, in bytes. */
const MAX_ANSWER_BYTES = 262_144;

/**
 * Calls one ES10 function.
 * @throws RspError `lpa/card` when the eUICC answers with a status word other than 9000, or with what does not decode
 */
export function* callEuicc<N extends Exclude<Es10Name, 'loadBoundProfilePackage'>>(
  name: N, request: Es10Request<N>, options: CardOptions = {},
): LpaRun<{ readonly value: Es10Answer<N>; readonly raw: Uint8Array }> {
  return yield* sendCall(name, encode(es10Functions[name].request as never, request as never), options);
}

/** Calls one ES10 function with an object that is encoded already, such as one that the SM-DP+ has signed. */
export function* sendCall<N extends Exclude<Es10Name, 'loadBoundProfilePackage'>>(
  name: N, object: Uint8Array, options: CardOptions = {},
): LpaRun<{ readonly value: Es10Answer<N>; readonly raw: Uint8Array }> {
  const raw = yield* sendObject(object, options);
  try {
    return { value: decode(es10Functions[name].answer as never, raw, { maxBytes: MAX_ANSWER_BYTES }) as Es10Answer<N>, raw };
  } catch (cause) {
    throw new RspError('lpa/card', `${name} answers what cannot be read`, { cause });
  }
}

/**
 * Calls one function of ES9+.
 * @throws RspError `lpa/http` for an HTTP status other than 2xx, `es9plus/*` for an answer that cannot be read
 */
export function* callSmdp<F extends Es9plusFunction>(name: F, address: string, fields: Es9plusRequest<F>): LpaRun<Es9plusAnswer<F>> {
  const answer = yield { kind: 'es9plus', address, function: name, path: es9plusFunctions[name].path, body: writeEs9plusRequest(name, fields) };
  if (answer.kind !== 'es9plus') throw new RspError('lpa/transport');
  if (answer.status < 200 || answer.status > 299) throw new RspError('lpa/http', `${name}: ${answer.status}`);
  return readEs9plusAnswer(name, answer.body);
}

/**
 * Sends one object as a chain of STORE DATA commands and gathers the answer; it may be empty.
 * @throws RspError `lpa/card`
 */
export function* sendObject(object: Uint8Array, { channel = 0, blockBytes = 255 }: CardOptions = {}): LpaRun<Uint8Array> {
  let answer: Uint8Array = new Uint8Array(0);
  for (const command of storeData(object, channel, blockBytes)) {
    let response = yield* sendApdu(command);
    const pieces = [response.data];
    let bytes = response.data.length;
    while (response.status >> 8 === 0x61) {
      response = yield* sendApdu(getResponse(channel, response.status & 0xff));
      pieces.push(response.data);
      bytes += response.data.length;
      if (bytes > MAX_ANSWER_BYTES || response.data.length === 0) throw new RspError('lpa/card', 'endless answer');
    }
    if (response.status !== statusWords.ok) throw new RspError('lpa/card', `status ${statusText(response.status)}`);
    answer = concatBytes(...pieces);
  }
  return answer;
}

function* sendApdu(apdu: Uint8Array): LpaRun<ResponseApdu> {
  const answer = yield { kind: 'apdu', apdu };
  if (answer.kind !== 'apdu') throw new RspError('lpa/transport');
  return readResponse(answer.apdu);
}

/** Runs a conversation over transports that answer at once. */
export function runSync<T>(run: LpaRun<T>, answer: (request: LpaRequest) => LpaAnswer): T {
  let step = run.next();
  while (!step.done) step = run.next(answer(step.value));
  return step.value;
}
