/**
 * The family of errors. `code` is stable and for programs (`<package>.<what>`); recognise errors by it and
 * never by class, because two copies of a package may live in one process.
 */
export class EdgeError extends Error {
  override readonly name: string = 'EdgeError';
  readonly code: string;

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** The code of any thrown value: ours, Node's (`ECONNREFUSED`), or `unknown`. */
export function errorCode(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string') return error.code;
  return 'unknown';
}

/** One line for people: the message and the messages of its causes. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.message || error.name;
  if (error.cause === undefined) return own;
  const cause = errorText(error.cause);
  return own.includes(cause) ? own : `${own}: ${cause}`;
}

/** What an aborted wait throws. */
export function abortError(signal: AbortSignal): EdgeError {
  return new EdgeError('core.aborted', 'stopped before it was done', { cause: signal.reason });
}

/** True for the error of an aborted wait, ours or the platform's. */
export function isAbort(error: unknown): boolean {
  return errorCode(error) === 'core.aborted' || (error instanceof Error && error.name === 'AbortError');
}
