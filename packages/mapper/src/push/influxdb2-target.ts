import type { DBMethod } from '@edge/protocol/dmi';
import { MapperError, MapperErrors } from '../errors.js';
import { post } from './post.js';
import { PUSH_MS, type PushedValue, type PushTarget, type Secrets } from './push-target.js';

type Influxdb2 = NonNullable<DBMethod['influxdb2']>;

/** A point by InfluxDB's write API; the token is the secret TOKEN. */
export function influxdb2Target({ influxdb2ClientConfig: client, influxdb2DataConfig: data }: Influxdb2, secrets: Secrets): PushTarget {
  if (!client || !data) throw new MapperError(MapperErrors.pushFailed, 'influxdb2 needs influxdb2ClientConfig and influxdb2DataConfig');
  const query = new URLSearchParams({ org: client.org, bucket: client.bucket, precision: 'ms' }).toString();
  const url = `${client.url.replace(/\/$/, '')}/api/v2/write?${query}`;
  const headers = { 'content-type': 'text/plain; charset=utf-8', ...(secrets['TOKEN'] === undefined ? {} : { authorization: `Token ${secrets['TOKEN']}` }) };
  return { push: (value, signal) => post(url, line(value, data.measurement, data.tag, data.fieldKey), headers, PUSH_MS, signal) };
}

/** A line of the line protocol: numbers as floats, booleans as such, everything else as a string. */
export function line(value: PushedValue, measurement: string, tags: Readonly<Record<string, string>>, fieldKey: string): string {
  const tagged = Object.entries(tags).map(([key, tag]) => `,${escaped(key)}=${escaped(tag)}`).join('');
  return `${escaped(measurement, /[, ]/g)}${tagged} ${escaped(fieldKey || value.property)}=${field(value)} ${value.at}`;
}

function field({ type, text }: PushedValue): string {
  // Whole numbers too: a field that was a float once refuses an integer.
  if (type === 'INT' || type === 'FLOAT' || type === 'DOUBLE' || type === 'BOOLEAN') return text;
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

function escaped(text: string, special = /[,= ]/g): string {
  return text.replace(special, '\\$&');
}
