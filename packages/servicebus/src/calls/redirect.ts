/** One request of a call: the first one, or one that a redirect leads to. */
export interface Hop {
  readonly url: URL;
  /** Path and query as they came, where a URL would write them differently. */
  readonly path?: string;
  readonly method: string;
  /** Name and value in turns. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** As Go follows them. */
export const MAX_REDIRECTS = 10;

const WITHOUT_BODY = [301, 302, 303];
const WITH_BODY = [307, 308];
const SECRET = new Set(['authorization', 'cookie', 'cookie2', 'www-authenticate']);
const OF_THE_BODY = new Set(['content-type', 'content-encoding', 'content-language', 'content-location']);

/** Where an answer sends the caller; undefined when the answer is the last one. Decides as Go's client does. */
export function nextHop(hop: Hop, status: number, location: string | undefined): Hop | undefined {
  const dropsBody = WITHOUT_BODY.includes(status);
  if ((!dropsBody && !WITH_BODY.includes(status)) || location === undefined || location === '') return undefined;
  if (!URL.canParse(location, hop.url.href)) return undefined;
  const url = new URL(location, hop.url);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined;
  const keepsMethod = !dropsBody || hop.method === 'GET' || hop.method === 'HEAD';
  const elsewhere = url.hostname !== hop.url.hostname;
  const unwanted = (name: string): boolean => (elsewhere && SECRET.has(name)) || (dropsBody && OF_THE_BODY.has(name)) || name === 'referer';
  const headers: string[] = [];
  for (let at = 0; at + 1 < hop.headers.length; at += 2) {
    const [name, value] = [hop.headers[at] as string, hop.headers[at + 1] as string];
    if (!unwanted(name.toLowerCase())) headers.push(name, value);
  }
  if (!(hop.url.protocol === 'https:' && url.protocol === 'http:')) headers.push('Referer', referer(hop.url));
  return { url, method: keepsMethod ? hop.method : 'GET', headers, body: dropsBody ? Buffer.alloc(0) : hop.body };
}

function referer(url: URL): string {
  const shown = new URL(url);
  shown.username = '';
  shown.password = '';
  shown.hash = '';
  return shown.href;
}
