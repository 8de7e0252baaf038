import { ApiFault } from './answer.js';

/** What of a container's log is wanted. */
export interface LogQuery {
  readonly follow: boolean;
  readonly previous: boolean;
  readonly timestamps: boolean;
  readonly tailLines?: number;
  readonly limitBytes?: number;
  readonly sinceSeconds?: number;
  /** Milliseconds since the epoch. */
  readonly sinceTime?: number;
  readonly stream?: 'stdout' | 'stderr';
}

const STREAMS: Readonly<Record<string, 'stdout' | 'stderr' | undefined>> = { All: undefined, Stdout: 'stdout', Stderr: 'stderr' };

/**
 * Reads the query of `/containerLogs`: `PodLogOptions`, and `tail` as older clients write it.
 * @throws ApiFault 400 for what cannot be read, 422 for what makes no sense
 */
export function logQuery(query: URLSearchParams): LogQuery {
  const tail = query.get('tail') ?? '';
  const tailLines = tail === '' ? number(query, 'tailLines') : tail === 'all' ? undefined : number(query, 'tail');
  const limitBytes = number(query, 'limitBytes');
  const sinceSeconds = number(query, 'sinceSeconds');
  const sinceTime = time(query, 'sinceTime');
  const stream = streamOf(query.get('stream') ?? 'All');
  if (tailLines !== undefined && tailLines < 0) throw senseless('tailLines must not be negative');
  if (limitBytes !== undefined && limitBytes < 1) throw senseless('limitBytes has to be 1 or more');
  if (sinceSeconds !== undefined && sinceSeconds < 1) throw senseless('sinceSeconds has to be 1 or more');
  if (sinceSeconds !== undefined && sinceTime !== undefined) throw senseless('only one of sinceSeconds and sinceTime can be given');
  return {
    follow: flag(query, 'follow'),
    previous: flag(query, 'previous'),
    timestamps: flag(query, 'timestamps'),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
    ...(sinceSeconds === undefined ? {} : { sinceSeconds }),
    ...(sinceTime === undefined ? {} : { sinceTime }),
    ...(stream === undefined ? {} : { stream }),
  };
}

/** As Kubernetes reads flags of a query: there, and not a word for no. */
function flag(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && value !== '0' && value.toLowerCase() !== 'false';
}

function number(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name) ?? '';
  if (value === '') return undefined;
  const parsed = Number(value);
  if (!Number.isSafeInteger(parsed)) throw unreadable(name, value, 'a whole number');
  return parsed;
}

function time(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name) ?? '';
  if (value === '') return undefined;
  const parsed = Date.parse(value);
  if (Number.isNaN(parsed)) throw unreadable(name, value, 'a time such as 2026-01-31T12:00:00Z');
  return parsed;
}

function streamOf(value: string): 'stdout' | 'stderr' | undefined {
  if (!Object.hasOwn(STREAMS, value)) throw senseless('stream has to be All, Stdout or Stderr');
  return STREAMS[value];
}

const unreadable = (name: string, value: string, right: string): ApiFault =>
  new ApiFault(400, JSON.stringify({ message: `Unable to decode query: ${name} is "${value.slice(0, 40)}", it has to be ${right}` }));
const senseless = (why: string): ApiFault => new ApiFault(422, JSON.stringify({ message: `Invalid request: ${why}` }));
