import { readFile } from 'node:fs/promises';
import { isIPv4 } from 'node:net';
import { edgeMeshError, EdgeMeshErrors } from '../errors.js';

/** Addresses that begin alike. */
export interface Range {
  /** As it was given: `240.96.0.0/16`. */
  readonly text: string;
  readonly first: number;
  /** Addresses in it, a power of two. */
  readonly size: number;
  /** Of the loopback: there without a route, and for programs of this node alone. */
  readonly isLoopback: boolean;
}

/** Nobody has addresses there (RFC 1112, section 4), so that none of others' is taken away; Linux treats them as any other. */
const USUAL = '240.96.0.0/16';
const WITHOUT_ROUTES = '127.96.0.0/16';
/** Bits of the prefix: the smallest range is for a few services, the largest for more than a node can listen for. */
const LEAST_BITS = 12;
const MOST_BITS = 28;
/** Of `capabilities(7)`. */
const CAP_NET_ADMIN = 12n;

export const RANGE_EXPECTED = `an IPv4 range with a prefix of ${LEAST_BITS} to ${MOST_BITS} bits, private, within 240.0.0.0/4 or of the loopback without 127.0.0.1, such as ${USUAL}`;

/** @returns undefined for what is no range that services may have */
export function parseRange(text: string): Range | undefined {
  const [address = '', prefix = '', ...more] = text.split('/');
  const bits = Number(prefix);
  if (more.length > 0 || !isIPv4(address) || !/^\d{1,2}$/.test(prefix) || bits < LEAST_BITS || bits > MOST_BITS) return undefined;
  const first = numberOf(address);
  const size = 2 ** (32 - bits);
  // One that others have as well would hide them from this node.
  const isOwn = /^(?:127\.|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|24\d\.|25[0-4]\.)/.test(address);
  if (!isOwn || first % size !== 0 || (first <= LOCALHOST && LOCALHOST < first + size)) return undefined;
  return { text, first, size, isLoopback: address.startsWith('127.') };
}

/**
 * The range that services get their addresses of.
 * @param given `edge.edgeMesh.proxy.ownRange`; empty: the usual one, of the loopback where no route can be made
 * @throws EdgeError `edgemesh.intercept` when the range needs a route and this process may make none
 */
export async function chooseRange(given: string, mayRoute: () => Promise<boolean> = mayMakeRoutes): Promise<Range> {
  const range = parseRange(given === '' ? ((await mayRoute()) ? USUAL : WITHOUT_ROUTES) : given);
  if (range === undefined) throw edgeMeshError(EdgeMeshErrors.intercept, `edge.edgeMesh.proxy.ownRange is ${JSON.stringify(given)}, it must be ${RANGE_EXPECTED}`);
  if (!range.isLoopback && !(await mayRoute())) throw edgeMeshError(EdgeMeshErrors.intercept, `edge.edgeMesh.proxy.ownRange ${given} needs a route, and the agent may make none (CAP_NET_ADMIN): run it as root, or leave the range to it`);
  return range;
}

export const numberOf = (address: string): number => address.split('.').reduce((value, part) => value * 256 + Number(part), 0);
export const addressOf = (value: number): string => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
const LOCALHOST = numberOf('127.0.0.1');

async function mayMakeRoutes(): Promise<boolean> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  const capabilities = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  return ((capabilities >> CAP_NET_ADMIN) & 1n) === 1n;
}
