import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { MapperError, MapperErrors } from '../errors.js';
import type { HttpOptions, MapperOptions } from '../options.js';

type Given = { -readonly [Key in keyof MapperOptions]?: MapperOptions[Key] };

/** Keys of mapper-framework's `config.yaml`; `common.address` is taken and has no meaning, as there. */
const KNOWN = { grpc_server: ['socket_path'], common: ['name', 'version', 'api_version', 'protocol', 'address', 'edgecore_sock', 'http_port'] } as const;

/**
 * The options in a configuration file of mapper-framework's layout.
 * @throws MapperError `mapper.bad-options` naming the file and what is wrong in it
 */
export function readConfigFile(path: string): Partial<MapperOptions> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new MapperError(MapperErrors.badOptions, `the configuration file ${path} cannot be read`, { cause: error });
  }
  return parseConfig(text, path);
}

/** Pure part of `readConfigFile`. */
export function parseConfig(text: string, path: string): Partial<MapperOptions> {
  let document: unknown;
  try {
    document = parse(text);
  } catch (error) {
    throw new MapperError(MapperErrors.badOptions, `${path} is no YAML`, { cause: error });
  }
  const values = flatten(document, path);
  const given: Given = {};
  const set = (key: string, take: (value: string) => void): void => {
    const value = values.get(key);
    if (value !== undefined && value !== '') take(value);
  };
  set('grpc_server.socket_path', (value) => (given.socketPath = value));
  set('common.name', (value) => (given.name = value));
  set('common.version', (value) => (given.version = value));
  set('common.api_version', (value) => (given.apiVersion = value));
  set('common.protocol', (value) => (given.protocol = value));
  set('common.edgecore_sock', (value) => (given.edgeCoreSocket = value));
  set('common.http_port', (value) => (given.http = httpOf(value)));
  return given;
}

/** As the flag has it: 0 is none. */
export function httpOf(port: string): HttpOptions | false {
  return Number(port) === 0 ? false : { port: Number(port) };
}

function flatten(document: unknown, path: string): Map<string, string> {
  const values = new Map<string, string>();
  if (!isObject(document)) throw new MapperError(MapperErrors.badOptions, `${path} holds no keys, expected grpc_server and common`);
  for (const [section, keys] of Object.entries(KNOWN)) {
    const part = document[section];
    if (part === undefined || part === null) continue;
    if (!isObject(part)) throw new MapperError(MapperErrors.badOptions, `${path}: ${section} is ${JSON.stringify(part)}, expected the keys ${keys.join(', ')}`);
    for (const key of keys) {
      const value = part[key];
      if (value === undefined || value === null) continue;
      if (typeof value !== 'string' && typeof value !== 'number') throw new MapperError(MapperErrors.badOptions, `${path}: ${section}.${key} is ${JSON.stringify(value)}, expected a text`);
      values.set(`${section}.${key}`, String(value));
    }
  }
  return values;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
