import { isFields } from './data.js';
import type { Status } from './objects/meta.js';

/** What the cloud answers to writes: the object as stored, or why not. */
export type ObjectResponse<T> = { readonly object: T; readonly error?: undefined } | { readonly object?: undefined; readonly error: Status };

interface WireError {
  ErrStatus?: Partial<Status>;
}

/** True for `{"ErrStatus":{…}}`, the form in which a Go API error crosses the wire in place of an object. */
export function isErrorContent(content: unknown): content is { ErrStatus: Status } {
  return isFields(content) && isFields(content['ErrStatus']);
}

/** True for `{}`, what is left of any other Go error: the cloud failed and lost the reason. Never an object. */
export function isLostError(content: unknown): boolean {
  return isFields(content) && Object.keys(content).length === 0;
}

/** The status of an error content, or undefined when the content is no error. */
export function errorStatus(content: unknown): Status | undefined {
  if (isErrorContent(content)) return completeStatus(content.ErrStatus);
  if (isLostError(content)) return completeStatus({ message: 'the cloud answered with an error whose text was lost', reason: 'InternalError', code: 500 });
  return undefined;
}

/** True for `{"Object":…,"Err":…}`. */
export function isObjectResponse(content: unknown): content is { Object: unknown; Err: WireError | null } {
  return isFields(content) && 'Object' in content && 'Err' in content;
}

/**
 * Reads `{"Object":…,"Err":…}`. An `Err` that is not null is an error even when its text was lost (`{}`);
 * so is an answer with no object at all.
 */
export function readObjectResponse<T>(content: unknown): ObjectResponse<T> {
  const failed = errorStatus(content);
  if (failed) return { error: failed };
  if (!isObjectResponse(content)) {
    return { error: completeStatus({ message: `an answer of type ${typeof content} holds no object`, reason: 'BadRequest', code: 400 }) };
  }
  if (content.Err !== null && content.Err !== undefined) {
    return { error: errorStatus(content.Err) ?? completeStatus({ code: 500, reason: 'InternalError', message: wordsOf(content.Err) }) };
  }
  if (!isFields(content.Object)) return { error: completeStatus({ message: 'the answer holds no object', reason: 'NotFound', code: 404 }) };
  return { object: content.Object as T };
}

/** The wire form of an answer to a write. */
export function objectResponseContent(object: unknown, error?: Status): { Object: unknown; Err: { ErrStatus: Status } | null } {
  return { Object: object ?? null, Err: error ? { ErrStatus: error } : null };
}

/** Errors of Go that are no API status keep their exported fields, those of the network for example `Op` and `URL`. */
function wordsOf(error: unknown): string {
  return typeof error === 'string' ? error : (JSON.stringify(error) ?? '').slice(0, 300);
}

function completeStatus(status: Partial<Status>): Status {
  return { metadata: {}, status: 'Failure', message: '', ...status };
}
