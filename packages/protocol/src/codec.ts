import { isFields } from './data.js';
import { ProtocolError } from './errors.js';
import type { Message, MessageHeader, MessageRoute } from './message.js';

/** Go's encoder escapes these so that JSON can stand inside HTML; we do the same to be equal byte for byte. */
const ESCAPED = /[<>&\u2028\u2029]/g;
const NEEDS_ESCAPE = /[<>&\u2028\u2029]/;

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** JSON as Go writes it (HTML-safe), without the trailing newline. */
export function encodeJson(value: unknown): string {
  const json = JSON.stringify(value) ?? 'null';
  return NEEDS_ESCAPE.test(json) ? json.replace(ESCAPED, escape) : json;
}

/** One message as it stands in a text frame: one JSON document and a newline. */
export function encodeMessage(message: Message): string {
  const { header, route } = message;
  return `${encodeJson({
    header: {
      msg_id: header.id,
      parent_msg_id: header.parentId || undefined,
      timestamp: header.timestamp,
      resourceversion: header.resourceVersion || undefined,
      sync: header.sync || undefined,
      type: header.type || undefined,
    },
    route: {
      source: route.source || undefined,
      destination: route.destination || undefined,
      group: route.group || undefined,
      operation: route.operation || undefined,
      resource: route.resource || undefined,
    },
    content: message.content ?? null,
  })}\n`;
}

/**
 * Reads one message. As lenient as Go: unknown keys are ignored, keys match in any case, missing keys are empty.
 * Members of the wrong type are refused, naming the member.
 * @throws ProtocolError `protocol.not-json` or `protocol.envelope`
 */
export function decodeMessage(text: string): Message {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (cause) {
    throw new ProtocolError('protocol.not-json', `a frame of ${text.length} characters is not JSON: ${excerpt(text)}`, { cause });
  }
  if (!isFields(raw)) throw envelopeError('', raw, 'an object');
  const header = section(raw, 'header');
  const route = section(raw, 'route');
  return { header: readHeader(header), route: readRoute(route), content: member(raw, 'content') ?? null };
}

function readHeader(header: Record<string, unknown>): MessageHeader {
  const parentId = text(header, 'header', 'parent_msg_id');
  const resourceVersion = text(header, 'header', 'resourceversion');
  const type = text(header, 'header', 'type');
  const sync = member(header, 'sync');
  if (sync !== undefined && sync !== null && typeof sync !== 'boolean') throw envelopeError('header.sync', sync, 'a boolean');
  const timestamp = member(header, 'timestamp') ?? 0;
  if (typeof timestamp !== 'number' || !Number.isFinite(timestamp)) {
    throw envelopeError('header.timestamp', timestamp, 'a number of milliseconds');
  }
  return {
    id: text(header, 'header', 'msg_id'),
    ...(parentId ? { parentId } : {}),
    timestamp,
    ...(resourceVersion ? { resourceVersion } : {}),
    ...(sync ? { sync } : {}),
    ...(type ? { type } : {}),
  };
}

function readRoute(route: Record<string, unknown>): MessageRoute {
  const destination = text(route, 'route', 'destination');
  return {
    source: text(route, 'route', 'source'),
    ...(destination ? { destination } : {}),
    group: text(route, 'route', 'group'),
    operation: text(route, 'route', 'operation'),
    resource: text(route, 'route', 'resource'),
  };
}

function section(raw: Record<string, unknown>, name: string): Record<string, unknown> {
  const value = member(raw, name) ?? {};
  if (!isFields(value)) throw envelopeError(name, value, 'an object');
  return value;
}

function text(from: Record<string, unknown>, where: string, name: string): string {
  const value = member(from, name) ?? '';
  if (typeof value !== 'string') throw envelopeError(`${where}.${name}`, value, 'a string');
  return value;
}

function member(from: Record<string, unknown>, name: string): unknown {
  if (Object.hasOwn(from, name)) return from[name];
  const key = Object.keys(from).find((candidate) => candidate.toLowerCase() === name);
  return key === undefined ? undefined : from[key];
}

function envelopeError(where: string, value: unknown, expected: string): ProtocolError {
  const name = where === '' ? 'message' : where;
  return new ProtocolError('protocol.envelope', `${name} is ${excerpt(JSON.stringify(value) ?? 'undefined')}, it must be ${expected}`);
}

function excerpt(value: string): string {
  return value.length > 80 ? `${value.slice(0, 80)}…` : value;
}
