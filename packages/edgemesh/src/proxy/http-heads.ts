/** Said to one side alone, never passed on (RFC 9110, 7.6.1). */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'proxy-authorization', 'te', 'trailer', 'transfer-encoding', 'upgrade']);
/** What the endpoint has to have, whatever `Connection` calls it: without its length a body would be read as the next request. */
const KEPT = new Set(['content-length', 'host']);
/** A repeat of these changes nothing (RFC 9110, 9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']);

/** What a request's head says, as Node.js gives it: names and values in turn. */
export interface Head {
  readonly method: string;
  readonly rawHeaders: readonly string[];
}

/** Values of one header, in order. */
export function valuesOf(rawHeaders: readonly string[], name: string): readonly string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name);
}

/** All but those that are said to one side alone, in the order and writing they came. */
export function passedOn(rawHeaders: readonly string[]): string[] {
  const named = new Set(valuesOf(rawHeaders, 'connection').flatMap((value) => value.split(',').map((name) => name.trim().toLowerCase())).filter((name) => !KEPT.has(name)));
  const passed: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] as string).toLowerCase();
    if (!HOP_BY_HOP.has(name) && !named.has(name)) passed.push(rawHeaders[index] as string, rawHeaders[index + 1] as string);
  }
  return passed;
}

/** Headers for the endpoint: who asked is added, and how the body is delimited stays as it was. */
export function requestHeaders({ rawHeaders }: Head, client: string): string[] {
  const passed = passedOn(rawHeaders).filter((_, index, all) => all[index - (index % 2)]?.toLowerCase() !== 'x-forwarded-for');
  passed.push('X-Forwarded-For', [...valuesOf(rawHeaders, 'x-forwarded-for'), client].join(', '));
  if (valuesOf(rawHeaders, 'te').some((value) => /\btrailers\b/i.test(value))) passed.push('TE', 'trailers');
  if (isChunked(rawHeaders)) passed.push('Transfer-Encoding', 'chunked');
  return passed;
}

/** Headers for the client. */
export function responseHeaders(rawHeaders: readonly string[]): string[] {
  // Trailers come with chunks alone.
  const chunks = isChunked(rawHeaders) ? [...valuesOf(rawHeaders, 'trailer').flatMap((value) => ['Trailer', value]), 'Transfer-Encoding', 'chunked'] : [];
  return [...passedOn(rawHeaders), ...chunks];
}

export const isIdempotent = ({ method }: Pick<Head, 'method'>): boolean => IDEMPOTENT.has(method);

/** A request with a body can be sent once only: what was read of the body is gone. */
export function hasBody({ rawHeaders }: Pick<Head, 'rawHeaders'>): boolean {
  return isChunked(rawHeaders) || valuesOf(rawHeaders, 'content-length').some((value) => Number(value) !== 0);
}

const isChunked = (rawHeaders: readonly string[]): boolean => valuesOf(rawHeaders, 'transfer-encoding').length > 0;
