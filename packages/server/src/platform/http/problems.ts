import type { Language, Problem, ProblemRow } from '@yuanyou/contract';
import type { ZodError } from 'zod';
import { ServiceError } from '../errors.ts';

/** What the edge makes of an error: the problem for outside, and whether it is ours to look at. */
export interface Verdict {
  readonly problem: Problem;
  /** True where the fault is on our side: logged as an error, with the cause. */
  readonly ours: boolean;
  readonly retryAfterSeconds: number | undefined;
}

/** A part of the request that does not fit its schema. */
export class RequestShapeError extends Error {
  readonly part: 'params' | 'query' | 'body';
  readonly shape: ZodError;

  constructor(part: 'params' | 'query' | 'body', shape: ZodError) {
    super('general/bad-request');
    this.name = 'RequestShapeError';
    this.part = part;
    this.shape = shape;
  }
}

const mostErrors = 20;

/** Fastify's own refusals, by their code. */
const frameworkCodes: Readonly<Record<string, string>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'general/too-large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'general/unsupported-media-type',
};

/** Translates any error into a problem: the one place where codes become statuses. */
export function judge(error: unknown, table: Readonly<Record<string, ProblemRow>>, language: Language, requestId: string): Verdict {
  const { code, details, errors } = reasonOf(error);
  const known = table[code] === undefined ? 'general/internal' : code;
  const row = table[known]!;
  const ours = row.status >= 500 && known !== 'general/unavailable';
  const shown = ours ? {} : details;
  const wait = details['retryAfterSeconds'];
  return {
    problem: {
      type: `/problems/${known}`, title: row.title[language], status: row.status, code: known, requestId,
      ...(errors.length === 0 ? {} : { errors }),
      ...(Object.keys(shown).length === 0 ? {} : { details: shown }),
    },
    ours,
    retryAfterSeconds: typeof wait === 'number' ? wait : undefined,
  };
}

interface Reason {
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly errors: { pointer: string; reason: string }[];
}

function reasonOf(error: unknown): Reason {
  if (error instanceof ServiceError) return { code: error.code, details: error.details, errors: [] };
  if (error instanceof RequestShapeError) return { code: 'general/bad-request', details: {}, errors: pointersOf(error) };
  const framework = error as { code?: unknown; statusCode?: unknown };
  const code = typeof framework.code === 'string' ? frameworkCodes[framework.code] : undefined;
  const status = typeof framework.statusCode === 'number' ? framework.statusCode : 500;
  const general = status === 503 ? 'general/unavailable' : status >= 400 && status < 500 ? 'general/bad-request' : 'general/internal';
  return { code: code ?? general, details: {}, errors: [] };
}

/** Where a request does not fit, without repeating what it said. */
function pointersOf(error: RequestShapeError): { pointer: string; reason: string }[] {
  return error.shape.issues.slice(0, mostErrors).map((issue) => ({
    pointer: ['', error.part, ...issue.path.map(String)].map((step) => step.slice(0, 60).replace(/~/g, '~0').replace(/\//g, '~1')).join('/'),
    reason: issue.code === 'invalid_type' ? `expected ${issue.expected}` : issue.code.replace(/_/g, ' '),
  }));
}
