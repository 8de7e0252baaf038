import { encodeJson } from '../codec.js';
import { isFields } from '../data.js';
import { ProtocolError } from '../errors.js';

/** A request for the node's kubelet API, as a session of the tunnel begins with it. */
export interface ConnectRequest {
  /** Number of the session; the same as in the frame. */
  readonly id: number;
  /** Undefined where upstream leaves it out (logs, measurements), which means GET. */
  readonly method?: string;
  /** Percent-encoded path, beginning with `/`. */
  readonly path: string;
  /** Without `?`; empty for none. */
  readonly query: string;
  /** Names in Go's spelling, each with its values. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
}

/** What the cloud always writes for the node's kubelet, whatever its address is. */
const KUBELET_HOST = '127.0.0.1:10350';

/** The JSON in a connecting frame, member for member as Go writes it. */
export function encodeConnect(request: ConnectRequest): Buffer {
  const { path, query, headers, id, method } = request;
  const plain = decodePath(path);
  const url = {
    Scheme: 'http',
    Opaque: '',
    User: null,
    Host: KUBELET_HOST,
    Path: plain,
    // Go fills it only where encoding the plain path anew would give something else.
    RawPath: encodePath(plain) === path ? '' : path,
    OmitHost: false,
    ForceQuery: false,
    RawQuery: query,
    Fragment: '',
    RawFragment: '',
  };
  const sorted = Object.fromEntries(Object.entries(headers).sort(([a], [b]) => (a < b ? -1 : 1)));
  return Buffer.from(encodeJson({ MessID: id, url, header: sorted, method }));
}

/**
 * Reads a connecting frame's JSON. Scheme and host do not count.
 * @throws ProtocolError `protocol.connect` naming the member that is not what it should be
 */
export function decodeConnect(id: number, data: Uint8Array): ConnectRequest {
  let raw: unknown;
  try {
    raw = JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8'));
  } catch (cause) {
    throw new ProtocolError('protocol.connect', `the request of session ${id} is not JSON (${data.length} bytes)`, { cause });
  }
  const url = isFields(raw) ? raw['url'] : undefined;
  if (!isFields(raw) || !isFields(url)) throw new ProtocolError('protocol.connect', `the request of session ${id} has no url`);
  const rawPath = text(id, 'url.RawPath', url['RawPath']);
  const path = rawPath === '' ? encodePath(wellFormed(id, text(id, 'url.Path', url['Path']))) : rawPath;
  const query = text(id, 'url.RawQuery', url['RawQuery']);
  if (!path.startsWith('/')) throw wrong(id, 'url.Path', path, 'a path');
  if (!PRINTABLE.test(path) || path.includes('?') || path.includes('#')) throw wrong(id, 'url.RawPath', path, 'a percent-encoded path');
  if (!PRINTABLE.test(query) || query.includes('#')) throw wrong(id, 'url.RawQuery', query, 'a percent-encoded query');
  const method = text(id, 'method', raw['method']);
  if (!/^[A-Z]{0,16}$/.test(method)) throw wrong(id, 'method', method, 'a method of HTTP');
  return { id, path, query, headers: headersOf(id, raw['header']), ...(method === '' ? {} : { method }) };
}

/** No blanks and no control characters: nothing that could end a line of HTTP or a part of it. */
const PRINTABLE = /^[\x21-\x7e]*$/;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

function headersOf(id: number, raw: unknown): Record<string, readonly string[]> {
  if (raw === undefined || raw === null) return {};
  if (!isFields(raw)) throw wrong(id, 'header', raw, 'an object');
  const headers: Record<string, readonly string[]> = {};
  for (const [name, values] of Object.entries(raw)) {
    if (!TOKEN.test(name)) throw wrong(id, 'header', name, 'names of headers');
    const listed: unknown[] = Array.isArray(values) ? values : [values];
    // What a header says may be a secret, so it is not shown.
    const fine = listed.every((value): value is string => typeof value === 'string' && /^[\t\x20-\x7e\x80-\xff]*$/.test(value));
    if (!fine) throw new ProtocolError('protocol.connect', `header.${name} of session ${id} is not a list of lines of text`);
    headers[name] = listed as string[];
  }
  return headers;
}

function text(id: number, name: string, value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw wrong(id, name, value, 'a string');
  return value;
}

/** @throws ProtocolError for half of a surrogate pair, which stands for no character */
function wellFormed(id: number, path: string): string {
  if (/\p{Surrogate}/u.test(path)) throw wrong(id, 'url.Path', path, 'text');
  return path;
}

function wrong(id: number, name: string, value: unknown, expected: string): ProtocolError {
  const shown = (JSON.stringify(value) ?? 'undefined').slice(0, 80);
  return new ProtocolError('protocol.connect', `${name} of session ${id} is ${shown}, it must be ${expected}`);
}

/** What Go leaves as it is in a path besides letters and digits: `/` and `-_.~$&+,:;=@`. */
function encodePath(path: string): string {
  return encodeURIComponent(path).replace(/%(2F|24|26|2B|2C|3A|3B|3D|40)/g, (escaped) => decodeURIComponent(escaped)).replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    // Not decodable: it goes as it is, as RawPath.
    return path;
  }
}
