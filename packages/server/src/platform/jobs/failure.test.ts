import { expect, test } from 'vitest';
import { ServiceError } from '../errors.ts';
import { pauseMs } from './backoff.ts';
import { describeFailure } from './failure.ts';

test('a failure is described without its message', () => {
  expect(describeFailure(new ServiceError('orders/unknown', { email: 'mail@example.org' }))).toBe('orders/unknown');
  expect(describeFailure(new TypeError('mail@example.org'))).toMatch(/^TypeError at jobs\/failure\.test\.ts:\d+$/);
  const violation = Object.assign(new Error('x'), { code: '23505', constraint: 'account_email' });
  expect(describeFailure(violation)).toMatch(/^Error 23505 account_email at /);
  expect(describeFailure(Object.assign(new Error('x'), { code: 'mail@example.org' }))).not.toContain('mail');
  expect(describeFailure('mail@example.org')).toBe('thrown string');
  expect(describeFailure(undefined)).toBe('thrown undefined');
  expect(describeFailure(new ServiceError('a'.repeat(1000)))).toHaveLength(300);
});

test('pauses grow, are bounded, and jitter stays in their upper half', () => {
  const backoff = { firstMs: 100, factor: 2, longestMs: 1000 };
  expect([1, 2, 3, 4, 5, 500].map((failures) => pauseMs(backoff, failures, 0))).toEqual([50, 100, 200, 400, 500, 500]);
  expect(pauseMs(backoff, 1, 0.999)).toBe(100);
});
