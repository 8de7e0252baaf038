import { readFileSync } from 'node:fs';
import { readCapture, type CaptureStep } from '@edge/testing';

/** A call that was recorded between EdgeCore and a mapper; bytes are base64, what is a default is left out. */
export interface RecordedCall {
  readonly t: number;
  readonly dir: 'mapper->edgecore' | 'edgecore->mapper';
  readonly method: string;
  readonly request?: Record<string, unknown>;
  readonly response?: Record<string, unknown>;
}

const fixture = (name: string): string => readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8');

export const recordedCalls: readonly RecordedCall[] = fixture('16-dmi.calls.jsonl')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as RecordedCall);

/** What crossed the link to the cloud about devices meanwhile. */
export const recordedLink: readonly Extract<CaptureStep, { message: unknown }>[] = readCapture(fixture('16-dmi.device.jsonl')).filter(
  (step): step is Extract<CaptureStep, { message: unknown }> => step.kind === 'edge' || step.kind === 'cloud',
);

const MAPS = new Set(['metadata', 'data', 'tag']);

/** A message of the interface in the form of the recording: without defaults, bytes as base64, 64-bit numbers as text. */
export function asRecorded(value: unknown, key = ''): unknown {
  if (Buffer.isBuffer(value)) return { bytes: value.toString('base64') };
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map((item) => asRecorded(item));
  if (typeof value === 'number' && (key === 'reportCycle' || key === 'collectCycle')) return value === 0 ? undefined : String(value);
  if (value === '' || value === 0 || value === false) return undefined;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .map(([name, member]) => [name === 'typeUrl' ? 'type_url' : name === 'apiVersion' ? 'api_version' : name, asRecorded(member, name)] as const)
    .filter(([, member]) => member !== undefined);
  return entries.length === 0 && MAPS.has(key) ? undefined : Object.fromEntries(entries);
}
