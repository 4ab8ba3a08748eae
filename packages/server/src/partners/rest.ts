import { z } from 'zod';
import { ServiceError } from '../platform/errors.ts';
import { calls, type CallName, type OperatorPort, type Receipt, type ServiceCall, type ServiceState } from './ports.ts';

export interface RestOperator {
  readonly operatorId: string;
  readonly url: string;
  readonly apiKey: string;
  readonly timeoutMs: number;
}

const answerLimit = 65_536;
const receiptAnswer = z.object({ receiptId: z.string().min(1).max(200), state: z.string().max(40), changedAt: z.iso.datetime() });
const stateAnswer = z.object({ state: z.enum(['active', 'suspended', 'terminated']) });
const refusal = z.object({ code: z.string().max(80) });

interface Answer { readonly status: number; readonly body: unknown }

function unreachable(operator: RestOperator, reason: string, cause?: unknown): ServiceError {
  return new ServiceError('partners/operator-unreachable', { operatorId: operator.operatorId, reason }, { cause });
}

async function readBounded(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const body: AsyncIterable<Uint8Array> | null = response.body;
  if (body === null) return '';
  for await (const part of body) {
    length += part.length;
    if (length > answerLimit) throw new RangeError('answer too large');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

async function ask(operator: RestOperator, method: 'GET' | 'POST', path: string, body?: unknown): Promise<Answer> {
  try {
    const response = await fetch(new URL(path, operator.url), {
      method, redirect: 'error', signal: AbortSignal.timeout(operator.timeoutMs),
      headers: { authorization: `Bearer ${operator.apiKey}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: JSON.parse(await readBounded(response)) as unknown };
  } catch (error) {
    const reason = error instanceof Error && error.name === 'TimeoutError' ? 'timeout' : 'no usable answer';
    throw unreachable(operator, reason, error);
  }
}

/** The operator's error as ours: the table decides, nothing else looks at the numbers. */
function refused(operator: RestOperator, { status, body }: Answer): ServiceError {
  const parsed = refusal.safeParse(body);
  const code = parsed.success ? parsed.data.code : 'none';
  const details = { operatorId: operator.operatorId, status, operatorCode: code };
  if (status >= 500 || status === 429 || status === 408) return unreachable(operator, `status ${status}`);
  if (status === 404 && code === 'unknown-subscriber') return new ServiceError('partners/unknown-subscriber', details);
  if (status === 409 && code === 'wrong-state') return new ServiceError('partners/wrong-state', details);
  return new ServiceError('partners/operator-refused', details);
}

async function perform(operator: RestOperator, call: CallName, { iccid, imsi, requestId }: ServiceCall): Promise<Receipt> {
  const answer = await ask(operator, 'POST', `/subscribers/${encodeURIComponent(iccid)}/${call}`, {
    requestId, ...(call === 'activate' ? { imsi } : {}),
  });
  if (answer.status !== 200) throw refused(operator, answer);
  const parsed = receiptAnswer.safeParse(answer.body);
  if (!parsed.success) throw unreachable(operator, 'malformed answer');
  const { receiptId, state, changedAt } = parsed.data;
  return { operatorId: operator.operatorId, call, requestId, reference: receiptId, state, at: new Date(changedAt) };
}

async function stateOf(operator: RestOperator, iccid: string): Promise<ServiceState> {
  const answer = await ask(operator, 'GET', `/subscribers/${encodeURIComponent(iccid)}`);
  if (answer.status === 404) return 'unknown';
  if (answer.status !== 200) throw refused(operator, answer);
  const parsed = stateAnswer.safeParse(answer.body);
  if (!parsed.success) throw unreachable(operator, 'malformed answer');
  return parsed.data.state;
}

/** An operator that takes service calls over REST. */
export function restOperator(operator: RestOperator): OperatorPort {
  const doing = Object.fromEntries(calls.map((call) => [call, (asked: ServiceCall) => perform(operator, call, asked)])) as
    Record<CallName, (asked: ServiceCall) => Promise<Receipt>>;
  return { ...doing, state: ({ iccid }) => stateOf(operator, iccid) };
}
