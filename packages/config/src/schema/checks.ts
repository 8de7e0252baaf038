import { isIP } from 'node:net';
import { parseGoDuration } from '../go-duration.js';
import { isNodeName } from '../node-name.js';
import type { Check, Verdict } from './field.js';

const wrong = (expected: string): Verdict => ({ severity: 'error', expected });
const doubtful = (expected: string): Verdict => ({ severity: 'warning', expected });

export const between = (min: number, max: number, what = ''): Check<number> => {
  const expected = `should be from ${min} to ${max}${what === '' ? '' : ` (${what})`}`;
  return (value) => (value >= min && value <= max ? undefined : wrong(expected));
};

export const atLeast = (min: number, what = ''): Check<number> => {
  const expected = `should be ${min} or more${what === '' ? '' : ` (${what})`}`;
  return (value) => (value >= min ? undefined : wrong(expected));
};

export const port: Check<number> = between(1, 65535, 'a port');

export const oneOf = (...allowed: readonly string[]): Check<string> => {
  const expected = `should be ${allowed.map((word) => (word === '' ? '""' : word)).join(' or ')}`;
  return (value) => (allowed.includes(value) ? undefined : wrong(expected));
};

/** For values that upstream takes without a look and fails with later, or never. */
export const preferably = (check: Check<string>): Check<string> => (value) => {
  const verdict = check(value);
  return verdict === undefined ? undefined : doubtful(verdict.expected);
};

export const nodeName: Check<string> = (value) =>
  isNodeName(value)
    ? undefined
    : wrong('should be a node name: at most 253 characters of a-z, 0-9, "-" and ".", each part beginning and ending with a letter or digit');

export const nonNegativeDuration: Check<string> = (value) => {
  const nanoseconds = parseGoDuration(value);
  return nanoseconds !== undefined && nanoseconds >= 0n ? undefined : wrong('should not be negative');
};

export const present: Check<string> = (value) => (value === '' ? doubtful('should not be empty') : undefined);

const QUANTITY = /^[+-]?(\d+(\.\d*)?|\.\d+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d+)?$/;
export const quantity: Check<string> = (value) =>
  QUANTITY.test(value) ? undefined : wrong('should be a quantity such as 10Mi, 500k or 1048576');

/** `host:port`. A port out of range is an error; a missing one only a doubt, for upstream then falls back on the scheme's port. */
export const address: Check<string> = (value) => {
  const match = /^(\[[^\]]+\]|[^:[\]/]+)?(?::(\d+))?$/.exec(value);
  if (match === null || value === '') return doubtful('should be host:port, for example 192.0.2.10:10000 or [fd00::1]:10000');
  const digits = match[2];
  if (digits === undefined) return doubtful('should name a port, host:port');
  return digits.length <= 5 && Number(digits) >= 1 && Number(digits) <= 65535 ? undefined : wrong('should have a port from 1 to 65535');
};

export const url = (...schemes: readonly string[]): Check<string> => {
  const expected = `should be a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`;
  return (value) => {
    if (!URL.canParse(value)) return doubtful(expected);
    const scheme = new URL(value).protocol.slice(0, -1);
    return schemes.includes(scheme) ? undefined : doubtful(expected);
  };
};

/** An address literal; the kubelet also takes an IPv4 and an IPv6 one with a comma between. */
export const ipLiterals: Check<string> = (value) =>
  value === '' || value.split(',').every((part) => isIP(part.trim()) !== 0)
    ? undefined
    : wrong('should be an IP address of this machine, for example 192.0.2.10');

export const listOfIp: Check<readonly string[]> = (value) => {
  const bad = value.find((item) => isIP(item) === 0);
  return bad === undefined ? undefined : doubtful('should hold IP addresses only');
};

/** `address`, `address:port` or `[address]:port`. */
export const listOfResolvers: Check<readonly string[]> = (value) => {
  const isServer = (item: string): boolean => {
    const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(item);
    return isIP(item) !== 0 || (match !== null && isIP(match[1] ?? match[2] ?? '') !== 0 && Number(match[3]) >= 1 && Number(match[3]) <= 65535);
  };
  return value.every(isServer) ? undefined : wrong('should hold addresses, for example 192.0.2.1, 192.0.2.1:5353 or [2001:db8::1]:53');
};

/** The gates upstream's edge knows; two of them are group switches of its gate library. */
export const FEATURE_GATES = ['requireAuthorization', 'moduleRestart', 'disableNodeTaskV1alpha2', 'AllAlpha', 'AllBeta'] as const;

export const knownGates: Check<Readonly<Record<string, boolean>>> = (value) => {
  const unknown = Object.keys(value).find((gate) => !(FEATURE_GATES as readonly string[]).includes(gate));
  if (unknown === undefined) return undefined;
  return { severity: 'error', at: unknown, expected: `unrecognized feature gate: ${unknown}; known are ${FEATURE_GATES.join(', ')}` };
};
