import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Counts and times of requests, by operation; never by caller. */
export interface RequestMetrics {
  readonly registry: Registry;
  began(): void;
  ended(operationId: string, status: number, seconds: number): void;
}

export function createRequestMetrics(registry: Registry): RequestMetrics {
  const seconds = new Histogram({
    name: 'http_request_duration_seconds', help: 'Time from the request to its answer', labelNames: ['operation', 'status'], registers: [registry],
    buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5],
  });
  const failures = new Counter({ name: 'http_failures_total', help: 'Answers with a status of 500 and above', labelNames: ['operation'], registers: [registry] });
  const underWay = new Gauge({ name: 'http_requests_in_progress', help: 'Requests not yet answered', registers: [registry] });
  return {
    registry,
    began: () => underWay.inc(),
    ended(operationId, status, duration) {
      underWay.dec();
      seconds.observe({ operation: operationId, status: `${Math.floor(status / 100)}xx` }, duration);
      if (status >= 500) failures.inc({ operation: operationId });
    },
  };
}
