import { formatGoDuration, parseGoDuration } from './go-duration.js';
import type { Shape } from './schema/field.js';
import { describeRaw, type Raw, type RawMap, type RawScalar } from './yaml/raw.js';

/** A value of the wrong type. The message tells what would be right, `path` where inside the value it is (`[2].key`, `.foo`). */
export class DecodeError extends Error {
  readonly line: number;
  readonly value: string;
  readonly path: string;

  constructor(raw: Raw, expected: string, path = '') {
    super(expected);
    this.line = raw.line;
    this.value = describeRaw(raw);
    this.path = path;
  }
}

/** Told of keys nobody knows inside the objects of a list. */
export type OnUnknown = (path: string, key: string, line: number, known: readonly string[]) => void;

/**
 * The file's value as the schema wants it. `current` is what it is laid over: maps merge key by key, all else is
 * replaced. `null` clears what is nullable and leaves the rest as it is.
 */
export function decode(shape: Shape, raw: Raw, current: unknown, nullable: boolean, onUnknown: OnUnknown, path = ''): unknown {
  if (raw.kind === 'scalar' && raw.value === null) return nullable ? undefined : current;
  switch (shape.kind) {
    case 'list':
      if (raw.kind !== 'list') throw new DecodeError(raw, 'should be a list: "- value" lines below it, or [value, value]', path);
      return raw.items.map((item, i) => decode(shape.of, item, zero(shape.of), false, onUnknown, `${path}[${i}]`));
    case 'map':
      return { ...(current as object | undefined), ...mapOf(shape.of, sectionOf(raw, path), onUnknown, path) };
    case 'object':
      return objectOf(shape.fields, sectionOf(raw, path), onUnknown, path);
    default:
      return scalarOf(shape, raw, path);
  }
}

function sectionOf(raw: Raw, path: string): RawMap {
  if (raw.kind !== 'map') throw new DecodeError(raw, 'should be a section: "key: value" lines below it', path);
  return raw;
}

function mapOf(of: Shape, raw: RawMap, onUnknown: OnUnknown, path: string): object {
  return Object.fromEntries(raw.entries.map((entry) => [entry.key, decode(of, entry.value, zero(of), false, onUnknown, `${path}.${entry.key}`)]));
}

function objectOf(fields: Readonly<Record<string, Shape>>, raw: RawMap, onUnknown: OnUnknown, path: string): object {
  const known = new Map(Object.keys(fields).map((key) => [key.toLowerCase(), key]));
  const object: Record<string, unknown> = {};
  for (const entry of raw.entries) {
    const key = known.get(entry.key.toLowerCase());
    const shape = key === undefined ? undefined : fields[key];
    if (key === undefined || shape === undefined) {
      onUnknown(path, entry.key, entry.line, Object.keys(fields));
      continue;
    }
    const value = decode(shape, entry.value, object[key], true, onUnknown, `${path}.${key}`);
    if (value !== undefined) object[key] = value;
  }
  return object;
}

function scalarOf(shape: Shape, raw: Raw, path: string): unknown {
  if (raw.kind !== 'scalar') throw new DecodeError(raw, `should be ${NAMES[shape.kind] ?? 'a single value'}`, path);
  const { value } = raw;
  switch (shape.kind) {
    case 'bool':
      if (typeof value !== 'boolean') throw new DecodeError(raw, 'should be true or false, without quotes', path);
      return value;
    case 'float':
      if (typeof value !== 'number' || !Number.isFinite(value)) throw new DecodeError(raw, 'should be a number, without quotes', path);
      return value;
    case 'int':
      return integer(shape, raw, path);
    case 'duration':
      return duration(raw, path);
    default:
      // Upstream turns numbers and switches into strings where a string is wanted, and so may a node name be 42.
      return typeof value === 'string' ? value : raw.text;
  }
}

function integer(shape: Shape & { kind: 'int' }, raw: RawScalar, path: string): number {
  const { value } = raw;
  if (typeof value !== 'number' || !Number.isInteger(value)) throw new DecodeError(raw, 'should be a whole number, without quotes', path);
  if (value < shape.min || value > shape.max) throw new DecodeError(raw, `should be from ${shape.min} to ${shape.max} (${shape.name})`, path);
  return value;
}

function duration(raw: RawScalar, path: string): string {
  const nanoseconds = typeof raw.value === 'string' ? parseGoDuration(raw.value) : raw.value === 0 ? 0n : undefined;
  if (nanoseconds === undefined) throw new DecodeError(raw, 'should be a duration with units, such as 10s, 1m30s or 100ms', path);
  return formatGoDuration(nanoseconds);
}

const NAMES: Readonly<Record<string, string>> = {
  bool: 'true or false',
  int: 'a whole number',
  float: 'a number',
  string: 'a text',
  duration: 'a duration such as 1m30s',
};

/** What Go leaves in a list or map for an element that is `null`. */
function zero(shape: Shape): unknown {
  switch (shape.kind) {
    case 'bool':
      return false;
    case 'int':
    case 'float':
      return 0;
    case 'string':
      return '';
    case 'duration':
      return '0s';
    case 'list':
      return [];
    default:
      return {};
  }
}
