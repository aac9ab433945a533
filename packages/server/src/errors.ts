import { ERRORS, type ErrorCode, type FieldError } from '@assay/contract';

/** An expected failure with a code of the closed table; one handler turns it into problem+json. */
export class DomainError extends Error {
  override readonly name = 'DomainError';
  readonly code: ErrorCode;
  readonly errors: readonly FieldError[] | undefined;
  /** Seconds after which a retry makes sense; sent as Retry-After. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: ErrorCode,
    detail?: string,
    options: {
      readonly errors?: readonly FieldError[];
      readonly retryAfterSeconds?: number;
      readonly cause?: unknown;
    } = {},
  ) {
    super(detail ?? ERRORS[code].title, { cause: options.cause });
    this.code = code;
    this.errors = options.errors;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** `invalid` for fields that are wrong, at least one; the first of them is the detail. */
export function invalidFields(errors: readonly FieldError[]): DomainError {
  const [first] = errors;
  return new DomainError('invalid', first && `${first.path}: ${first.message}`, { errors });
}

/** `invalid` for one field that is wrong. */
export const invalidField = (path: string, message: string): DomainError =>
  invalidFields([{ path, message }]);

/** The value, or an error that says why it had to be there: for invariants, not for input. */
export function must<T>(value: T | undefined | null, why: string): T {
  if (value === undefined || value === null) throw new Error(`invariant broken: ${why}`);
  return value;
}
