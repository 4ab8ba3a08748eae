import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RspError } from '../errors.ts';
import {
  es9plusFunctions, readEs9plusAnswer, readEs9plusRequest, writeEs9plusFailure, writeEs9plusRequest, writeEs9plusSuccess, type Es9plusFunction,
} from './index.ts';

const runs = Number(process.env.FUZZ_CASES ?? 2000);
const bytes = (text: string) => Buffer.from(text);
const challenge = Buffer.alloc(16, 1).toString('base64');

describe('requests', () => {
  it('are read with or without a header', () => {
    const fields = { euiccChallenge: Buffer.alloc(16, 1), euiccInfo1: bytes('info'), smdpAddress: 'rsp.example' };
    const text = writeEs9plusRequest('initiateAuthentication', fields);
    expect(JSON.parse(text)).toEqual({ euiccChallenge: challenge, euiccInfo1: 'aW5mbw==', smdpAddress: 'rsp.example' });
    expect(readEs9plusRequest('initiateAuthentication', bytes(text))).toEqual(fields);
    const withHeader = JSON.stringify({ header: { functionRequesterIdentifier: 'x' }, ...(JSON.parse(text) as object) });
    expect(readEs9plusRequest('initiateAuthentication', bytes(withHeader))).toEqual(fields);
  });

  it('take a transactionId in either case', () => {
    expect(readEs9plusRequest('cancelSession', bytes('{"transactionId":"0a0B","cancelSessionResponse":"AA=="}')).transactionId).toBe('0A0B');
  });

  it.each([
    ['', 'es9plus/malformed'], ['null', 'es9plus/malformed'], ['[]', 'es9plus/malformed'], ['{', 'es9plus/malformed'], ['{} {}', 'es9plus/malformed'],
    ['{}', 'es9plus/missing'], ['{"transactionId":null,"cancelSessionResponse":"AA=="}', 'es9plus/missing'],
    ['{"__proto__":{"transactionId":"00","cancelSessionResponse":"AA=="}}', 'es9plus/missing'],
    ['{"transactionId":7,"cancelSessionResponse":"AA=="}', 'es9plus/malformed'], ['{"transactionId":"0","cancelSessionResponse":"AA=="}', 'es9plus/malformed'],
    ['{"transactionId":"","cancelSessionResponse":"AA=="}', 'es9plus/malformed'], ['{"transactionId":"00","cancelSessionResponse":""}', 'es9plus/malformed'],
    ['{"transactionId":"00","cancelSessionResponse":"AA"}', 'base64/malformed'], ['{"transactionId":"00","cancelSessionResponse":"A A="}', 'base64/malformed'],
    [`{"transactionId":"00","cancelSessionResponse":"${'A'.repeat(9000)}"}`, 'es9plus/size'],
    ['['.repeat(8000), 'es9plus/malformed'],
  ])('%.60s is refused with %s', (body, code) => {
    expect(() => readEs9plusRequest('cancelSession', bytes(body))).toThrow(code);
  });

  it('any body gives fields or an RspError', () => {
    const body = fc.oneof(fc.json().map(bytes), fc.uint8Array(), fc.dictionary(fc.constantFrom('transactionId', 'euiccInfo1', 'cancelSessionResponse', 'header'), fc.jsonValue())
      .map((value) => bytes(JSON.stringify(value))));
    const names = Object.keys(es9plusFunctions) as Es9plusFunction[];
    fc.assert(fc.property(fc.constantFrom(...names), fc.boolean(), body, (name, asAnswer, input) => {
      try {
        if (asAnswer) readEs9plusAnswer(name, input);
        else readEs9plusRequest(name, input);
      } catch (error) {
        return error instanceof RspError;
      }
      return true;
    }), { numRuns: runs });
  }, 300_000);
});

describe('answers', () => {
  it('carry the header first and only the fields that the function names', () => {
    const text = writeEs9plusSuccess('getBoundProfilePackage', { transactionId: '0A', boundProfilePackage: bytes('x') });
    expect(text).toBe('{"header":{"functionExecutionStatus":{"status":"Executed-Success"}},"transactionId":"0A","boundProfilePackage":"eA=="}');
    expect(readEs9plusAnswer('getBoundProfilePackage', bytes(text))).toEqual({ ok: true, fields: { transactionId: '0A', boundProfilePackage: bytes('x') } });
    expect(writeEs9plusSuccess('cancelSession', {})).toBe('{"header":{"functionExecutionStatus":{"status":"Executed-Success"}}}');
    expect(readEs9plusAnswer('handleNotification', new Uint8Array())).toEqual({ ok: true, fields: {} });
  });

  it('say why a function failed', () => {
    const failure = { subjectCode: '8.2.6', reasonCode: '3.8', message: 'Ask for a new activation code.' };
    expect(readEs9plusAnswer('authenticateClient', bytes(writeEs9plusFailure(failure)))).toEqual({ ok: false, failure });
    expect(() => readEs9plusAnswer('authenticateClient', bytes('{"header":{"functionExecutionStatus":{"status":"Failed"}}}'))).toThrow('es9plus/missing');
  });
});
