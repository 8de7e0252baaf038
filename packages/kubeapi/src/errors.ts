/** The `reason` words of a Kubernetes Status. Prefixed with `kubeapi.` they are the stable codes of this package. */
export type StatusReason =
  | 'BadRequest' | 'Unauthorized' | 'Forbidden' | 'NotFound' | 'MethodNotAllowed' | 'NotAcceptable' | 'AlreadyExists'
  | 'Conflict' | 'Gone' | 'Expired' | 'RequestEntityTooLarge' | 'UnsupportedMediaType' | 'Invalid' | 'TooManyRequests'
  | 'InternalError' | 'ServiceUnavailable' | 'Timeout' | 'ServerTimeout';

/** One wrong field: `reason` is a cause word such as FieldValueInvalid, `field` a path such as `spec.replicas`. */
export interface FieldError {
  reason: 'FieldValueInvalid' | 'FieldValueRequired' | 'FieldValueNotSupported' | 'FieldValueForbidden' | 'FieldValueDuplicate' | 'FieldValueTypeInvalid';
  field: string;
  message: string;
}

export interface StatusCause {
  reason?: string;
  message?: string;
  field?: string;
}

export interface StatusDetails {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: StatusCause[];
  retryAfterSeconds?: number;
}

/** `kind: Status`, the body of every failure and of some successes. */
export interface Status {
  kind: 'Status';
  apiVersion: 'v1';
  /** `continue`: where a list whose version is gone can be taken up again. */
  metadata: { continue?: string };
  status: 'Success' | 'Failure';
  message?: string;
  reason?: StatusReason;
  details?: StatusDetails;
  code: number;
}

const HTTP_CODES: Readonly<Record<StatusReason, number>> = {
  BadRequest: 400, Unauthorized: 401, Forbidden: 403, NotFound: 404, MethodNotAllowed: 405, NotAcceptable: 406,
  AlreadyExists: 409, Conflict: 409, Gone: 410, Expired: 410, RequestEntityTooLarge: 413, UnsupportedMediaType: 415,
  Invalid: 422, TooManyRequests: 429, InternalError: 500, ServiceUnavailable: 503, Timeout: 504, ServerTimeout: 500,
};

/**
 * A refusal with its Kubernetes reason. Across packages recognise it with `isApiError`, not with instanceof. `httpStatus`
 * is the number that goes over HTTP.
 */
export class ApiError extends Error {
  readonly reason: StatusReason;
  readonly code: `kubeapi.${StatusReason}`;
  readonly httpStatus: number;
  readonly details: StatusDetails;
  readonly continue: string | undefined;

  constructor(reason: StatusReason, message: string, details: StatusDetails = {}, options?: { cause?: unknown; httpStatus?: number; continue?: string }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ApiError';
    this.reason = reason;
    this.code = `kubeapi.${reason}`;
    this.details = details;
    this.continue = options?.continue;
    this.httpStatus = options?.httpStatus ?? HTTP_CODES[reason];
  }

  toStatus(): Status {
    const status: Status = {
      kind: 'Status', apiVersion: 'v1', metadata: this.continue === undefined ? {} : { continue: this.continue }, status: 'Failure',
      message: this.message, reason: this.reason, code: this.httpStatus,
    };
    if (Object.keys(this.details).length > 0) status.details = this.details;
    return status;
  }
}

/** Whether `error` is an ApiError of any copy of this package, with the given reason if one is named. */
export function isApiError(error: unknown, reason?: StatusReason): error is ApiError {
  if (!(error instanceof Error) || error.name !== 'ApiError' || !('httpStatus' in error) || !('reason' in error)) return false;
  return reason === undefined || error.reason === reason;
}

/** What an error is about: plural name of the resource, its group, and the object. */
export interface Subject {
  resource: string;
  group: string;
  name: string;
}

const qualified = (subject: { resource: string; group: string }): string =>
  subject.group === '' ? subject.resource : `${subject.resource}.${subject.group}`;

function detailsOf(subject: Subject): StatusDetails {
  return { name: subject.name, kind: subject.resource, ...(subject.group === '' ? {} : { group: subject.group }) };
}

export function notFound(subject: Subject): ApiError {
  return new ApiError('NotFound', `${qualified(subject)} "${subject.name}" not found`, detailsOf(subject));
}

export function alreadyExists(subject: Subject): ApiError {
  return new ApiError('AlreadyExists', `${qualified(subject)} "${subject.name}" already exists`, detailsOf(subject));
}

export function conflict(subject: Subject, why: string): ApiError {
  return new ApiError('Conflict', `cannot write ${qualified(subject)} "${subject.name}": ${why}`, detailsOf(subject));
}

export function forbidden(subject: Subject, why: string): ApiError {
  return new ApiError('Forbidden', `${qualified(subject)} "${subject.name}" is forbidden: ${why}`, detailsOf(subject));
}

export function badRequest(why: string): ApiError {
  return new ApiError('BadRequest', why);
}

/** All wrong fields of one object in one answer. `kind` is the object's kind, not its resource. */
export function invalid(subject: { kind: string; group: string; name: string }, errors: readonly FieldError[]): ApiError {
  const lines = errors.map((e) => `${e.field}: ${e.message}`);
  const text = lines.length === 1 ? lines[0] : `[${lines.join(', ')}]`;
  const kind = subject.group === '' ? subject.kind : `${subject.kind}.${subject.group}`;
  return new ApiError('Invalid', `${kind} "${subject.name}" is invalid: ${text}`, {
    name: subject.name, kind: subject.kind, ...(subject.group === '' ? {} : { group: subject.group }),
    causes: errors.map((e) => ({ reason: e.reason, message: e.message, field: e.field })),
  });
}

/** The asked version is older than history reaches. The client has to list again. */
export function expired(asked: number, oldest: number): ApiError {
  return new ApiError('Expired', `version ${asked} is no longer in history, which begins after ${oldest}: list again`);
}

/** The version that the pages of a list show is gone; `fresh` takes the list up where it was, at the newest version. */
export function pagesExpired(fresh: string): ApiError {
  const why = 'the version that the pages of this list show is no longer in history: list anew, or go on with the continue token of this answer and get the rest as it is now';
  return new ApiError('Expired', why, {}, { continue: fresh });
}

/** The asked version has not been written yet; tells the client to ask again soon. */
export function tooLargeResourceVersion(asked: number, newest: number): ApiError {
  return new ApiError('Timeout', `version ${asked} has not been written yet, the newest is ${newest}`, {
    // Older client-go versions look for this very text in the cause.
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }], retryAfterSeconds: 1,
  });
}

/** A Status that says that something went well. */
export function successStatus(details: StatusDetails): Status {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details, code: 200 };
}
