import type { DBMethod } from '@edge/protocol/dmi';
import { MapperError, MapperErrors } from '../errors.js';
import { post } from './post.js';
import { PUSH_MS, type PushedValue, type PushTarget, type Secrets } from './push-target.js';

/** A row by TDengine's REST interface: a super table per device, a table per property. Secrets USERNAME and PASSWORD. */
export function tdengineTarget({ tdEngineClientConfig: client }: NonNullable<DBMethod['tdengine']>, secrets: Secrets): PushTarget {
  if (!client) throw new MapperError(MapperErrors.pushFailed, 'TDEngine needs TDEngineClientConfig');
  const url = `${client.addr.includes('://') ? client.addr : `http://${client.addr}`}/rest/sql/${encodeURIComponent(client.dbname)}`;
  const login = Buffer.from(`${secrets['USERNAME'] ?? 'root'}:${secrets['PASSWORD'] ?? 'taosdata'}`).toString('base64');
  const headers = { authorization: `Basic ${login}`, 'content-type': 'text/plain' };
  const made = new Set<string>();
  return {
    async push(value, signal) {
      const [create, insert] = statements(value);
      if (!made.has(create)) await post(url, create, headers, PUSH_MS, signal);
      made.add(create);
      await post(url, insert, headers, PUSH_MS, signal);
    },
  };
}

/** Creates the super table, and inserts. */
export function statements({ namespace, device, property, type, text, at }: PushedValue): readonly [string, string] {
  const table = name(`${namespace}/${device}`);
  const columns = '(ts timestamp, deviceid binary(128), propertyname binary(128), data binary(512), type binary(64)) TAGS (location binary(128))';
  return [
    `CREATE STABLE IF NOT EXISTS ${table} ${columns}`,
    `INSERT INTO ${name(`${namespace}/${device}/${property}`)} USING ${table} TAGS (${quoted(property)}) VALUES (${at}, ${quoted(`${namespace}/${device}`)}, ${quoted(property)}, ${quoted(text)}, ${quoted(type.toLowerCase())})`,
  ];
}

function name(text: string): string {
  return `\`${text.replaceAll('`', '')}\``;
}

function quoted(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`;
}
