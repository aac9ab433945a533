/** An error with ClickHouse's number and text. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  /** ClickHouse's error number, undefined when the engine gave none. */
  readonly code: number | undefined;

  constructor(message: string) {
    // The engine repeats the head of its message for errors of a nested query.
    super(message.replace(/^(Code: \d+\. DB::Exception: )\1+/, '$1'));
    const match = /Code:\s*(\d+)/.exec(message);
    this.code = match === null ? undefined : Number(match[1]);
  }
}

/** An error as the engine would have worded it. */
export function engineError(code: number, name: string, text: string): EngineError {
  return new EngineError(`Code: ${code}. DB::Exception: ${text} (${name})`);
}

const STATUS_OF: ReadonlyMap<number, number> = new Map([
  [516, 403], // AUTHENTICATION_FAILED; 401 when no credentials came at all
  [164, 403], // READONLY
  ...[60, 81, 46, 47, 50, 56, 73, 115, 63].map((code): [number, number] => [code, 404]), // UNKNOWN_…
  // What cannot be parsed, or is not of the right type.
  ...[6, 25, 26, 27, 36, 38, 41, 43, 53, 62, 69, 72, 117, 321, 376, 456, 457].map(
    (code): [number, number] => [code, 400],
  ),
  [159, 408], // TIMEOUT_EXCEEDED
  [307, 413], // TOO_MANY_BYTES
  [48, 501], // NOT_IMPLEMENTED
  [202, 503], // TOO_MANY_SIMULTANEOUS_QUERIES
  [241, 503], // MEMORY_LIMIT_EXCEEDED
]);

/** HTTP status of an engine error, much as ClickHouse's own server maps it. */
export function statusOf(code: number | undefined): number {
  return (code === undefined ? undefined : STATUS_OF.get(code)) ?? 500;
}
