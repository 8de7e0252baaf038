import { ApiError, type StatusDetails, type StatusReason } from '@edge/kubeapi';

const REASONS: Readonly<Record<number, StatusReason>> = {
  400: 'BadRequest', 401: 'Unauthorized', 403: 'Forbidden', 404: 'NotFound', 405: 'MethodNotAllowed', 406: 'NotAcceptable', 409: 'Conflict', 410: 'Gone',
  413: 'RequestEntityTooLarge', 415: 'UnsupportedMediaType', 422: 'Invalid', 429: 'TooManyRequests', 500: 'InternalError', 503: 'ServiceUnavailable', 504: 'Timeout',
};
const WORDS: ReadonlySet<string> = new Set([...Object.values(REASONS), 'AlreadyExists', 'Expired', 'ServerTimeout']);

/**
 * What the cloud says in words alone: it wraps the API's errors of lists and of listeners, and their code is lost on the way.
 * The words are Kubernetes' own and have not changed for years.
 */
const BY_TEXT: readonly (readonly [RegExp, number])[] = [
  [/\bis forbidden\b|\bforbidden:/i, 403],
  [/could not find the requested resource|\bnot found\b|no matches for kind/i, 404],
  [/\bUnauthorized\b/, 401],
  [/too old resource version|\bExpired\b/i, 410],
  [/\btoo many requests\b/i, 429],
  [/unable to parse|invalid|unknown .*selector/i, 400],
];

/** The cloud's refusal as the error that a client gets: its own Status where there is one. */
export function refusalOf(status: Readonly<Record<string, unknown>>, reason: string): ApiError {
  const text = typeof status.message === 'string' && status.message !== '' ? status.message : reason;
  const message = text === '' ? 'the cloud refused without a word' : text;
  const code = typeof status.code === 'number' && status.code >= 400 && status.code < 600 ? status.code : BY_TEXT.find(([pattern]) => pattern.test(text))?.[1] ?? 500;
  const given = typeof status.reason === 'string' && WORDS.has(status.reason) ? (status.reason as StatusReason) : undefined;
  const details = typeof status.details === 'object' && status.details !== null ? (status.details as StatusDetails) : {};
  return new ApiError(given ?? REASONS[code] ?? 'InternalError', message, details, { httpStatus: code });
}
