/** The one error class of the server. `code` is a key of the contract's table of problems; the HTTP edge translates it once. */
export class ServiceError extends Error {
  readonly code: string;
  /** Safe to show: ids, counts, fields; never a personal value. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: string, details: Readonly<Record<string, unknown>> = {}, options?: ErrorOptions) {
    super(code, options);
    this.name = 'ServiceError';
    this.code = code;
    this.details = details;
  }
}
