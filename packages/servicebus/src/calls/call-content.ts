import { isFields } from '@edge/protocol';
import { serviceBusError } from '../errors.js';

/** Names in any case, each with one or more values. */
export type HeaderLists = Readonly<Record<string, readonly string[]>>;

/** An HTTP request as the router sends it. */
export interface CallRequest {
  readonly method: string;
  readonly headers: HeaderLists;
  readonly body: Buffer;
}

/** An HTTP answer as the router gets it. */
export interface CallAnswer {
  readonly status: number;
  readonly headers: HeaderLists;
  readonly body: Buffer;
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * Reads `{header, body, method, url}`; the body is base64, the method counts and not the operation of the message.
 * Source: KubeEdge v1.23, capture 06.
 * @throws EdgeError `servicebus.bad-call` in upstream's words
 */
export function decodeCall(content: unknown): CallRequest {
  const fields = typeof content === 'string' ? parsed(content) : content;
  if (!isFields(fields)) throw badCall(`it is ${content === null ? 'empty' : `a ${typeof content}`}, it must be an object`);
  const method = fields['method'] ?? '';
  if (typeof method !== 'string') throw badCall('method must be text');
  // Go takes no method for GET. A tunnel is no request.
  const upper = method === '' ? 'GET' : method.toUpperCase();
  if (!TOKEN.test(upper) || upper === 'CONNECT') throw badCall(`${JSON.stringify(method.slice(0, 60))} is no method of a request`);
  return { method: upper, headers: headersOf(fields['header'] ?? {}), body: bodyOf(fields['body'] ?? '') };
}

/** The content of a reply. */
export function encodeAnswer({ status, headers, body }: CallAnswer): object {
  return { header: headers, status_code: status, body: body.toString('base64') };
}

/** What a caller gets instead of the service's answer. */
export function faultAnswer(status: number, text: string): CallAnswer {
  return { status, headers: { Server: ['kubeedge-edgecore'] }, body: Buffer.from(text) };
}

function headersOf(value: unknown): HeaderLists {
  if (!isFields(value)) throw badCall('header must be an object of lists');
  const headers: Record<string, readonly string[]> = {};
  for (const [name, list] of Object.entries(value)) {
    if (!TOKEN.test(name)) throw badCall(`${JSON.stringify(name.slice(0, 60))} is no name of a header`);
    if (list === null) continue;
    if (!Array.isArray(list) || !list.every((item) => typeof item === 'string')) throw badCall(`header ${name.slice(0, 60)} must be a list of texts`);
    headers[name] = list as string[];
  }
  return headers;
}

function bodyOf(value: unknown): Buffer {
  if (typeof value !== 'string') throw badCall('body must be base64');
  const text = /[\r\n]/.test(value) ? value.replace(/[\r\n]/g, '') : value;
  if (!BASE64.test(text)) throw badCall('body must be base64');
  return Buffer.from(text, 'base64');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw badCall('it is no JSON');
  }
}

function badCall(why: string): Error {
  return serviceBusError('servicebus.bad-call', `error to parse http request: ${why}`);
}
