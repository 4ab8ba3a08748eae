import { ServiceError } from '../errors.ts';

/** Waits for `work`, at most `ms`; beyond that fails with `jobs/timeout` while the work itself may still be under way. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new ServiceError('jobs/timeout', { afterMs: ms })), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
