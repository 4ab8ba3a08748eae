import {
  es9plusFunctions, malformedStatusCode, readEs9plusRequest, refusalOf, RspError, statusCodeOf, writeEs9plusFailure, writeEs9plusSuccess,
  type Es9plusFunction,
} from '@yuanyou/rsp';
import type { Workings } from './deps.ts';
import { authenticate, cancel, getPackage, initiate } from './download.ts';
import { report } from './report.ts';

/** An HTTP answer; the body is empty with 204. */
export interface Es9plusReply {
  readonly status: 200 | 204 | 400 | 503;
  readonly body: string;
}

const acknowledged: Es9plusReply = { status: 204, body: '' };

/** How each function of ES9+ is answered. */
const functions: Readonly<{ [F in Es9plusFunction]: (w: Workings, body: Uint8Array) => Promise<Es9plusReply> }> = {
  initiateAuthentication: async (w, body) => success('initiateAuthentication', await initiate(w, readEs9plusRequest('initiateAuthentication', body))),
  authenticateClient: async (w, body) => success('authenticateClient', await authenticate(w, readEs9plusRequest('authenticateClient', body))),
  getBoundProfilePackage: async (w, body) =>
    success('getBoundProfilePackage', await getPackage(w, readEs9plusRequest('getBoundProfilePackage', body))),
  async cancelSession(w, body) {
    await cancel(w, readEs9plusRequest('cancelSession', body));
    return success('cancelSession', {});
  },
  async handleNotification(w, body) {
    await report(w, readEs9plusRequest('handleNotification', body));
    return acknowledged;
  },
};

const byPath = new Map<string, Es9plusFunction>(
  (Object.keys(es9plusFunctions) as Es9plusFunction[]).map((name) => [es9plusFunctions[name].path, name]),
);

/** The function behind a path; undefined when there is none. */
export function functionAt(path: string): Es9plusFunction | undefined {
  return byPath.get(path);
}

/** Answers one request. Never throws: what fails on our side is logged and answered with 503, so that the phone tries again. */
export async function answer(w: Workings, name: Es9plusFunction, body: Uint8Array): Promise<Es9plusReply> {
  try {
    return await functions[name](w, body);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal) {
      w.log.info({ function: name, refusal, detail: (error as Error).message }, 'ES9+ refused');
      // A notification has no answer but its receipt: refusing it would only make the phone send it for ever.
      return name === 'handleNotification' ? acknowledged : { status: 200, body: writeEs9plusFailure(statusCodeOf(refusal)) };
    }
    if (error instanceof RspError) {
      w.log.info({ function: name, code: error.code }, 'ES9+ request cannot be read');
      return { status: 400, body: writeEs9plusFailure(malformedStatusCode(error)) };
    }
    w.log.error({ function: name, err: error }, 'ES9+ failed');
    return { status: 503, body: '' };
  }
}

function success<F extends Es9plusFunction>(name: F, fields: Parameters<typeof writeEs9plusSuccess<F>>[1]): Es9plusReply {
  return { status: 200, body: writeEs9plusSuccess(name, fields) };
}
