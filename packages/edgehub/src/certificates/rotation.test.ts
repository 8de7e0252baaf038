import { expect, it } from 'vitest';
import { parseAddress } from '../link/address.js';
import { parseJoinToken } from './join-token.js';
import { expiryWarning, renewalTime } from './rotation.js';

const DAY = 86_400_000;
const year = { notBefore: 0, notAfter: 365 * DAY };

it('[edgehub-1.20] renews after 70 to 90 % of the life', () => {
  expect([0, 0.5, 1].map((random) => renewalTime({ notBefore: 1000, notAfter: 2000 }, random))).toEqual([1700, 1800, 1900]);
});

it('[edgehub-1.21] warns 30, 14 and 7 days before the end, but not of a certificate that never lives so long', () => {
  expect([300, 340, 352, 360].map((day) => expiryWarning(year, day * DAY))).toEqual([undefined, 30, 14, 7]);
  expect(expiryWarning({ notBefore: 0, notAfter: DAY }, DAY / 2)).toBeUndefined();
});

it('[edgehub-1.22] takes a join token apart', () => {
  const claims = `${Buffer.from('{"alg":"HS256"}').toString('base64url')}.${Buffer.from('{"exp":1767225600}').toString('base64url')}`;
  const hash = 'AB'.repeat(32);
  expect(parseJoinToken(`${hash}.${claims}.sig`)).toEqual({ caHash: hash.toLowerCase(), bearer: `${claims}.sig`, expiresAt: 1_767_225_600_000 });
  for (const bad of ['', 'x', 'a.b.c.d', `${hash}.${claims}`, `${hash}.${claims}.`, `${hash}.x.y.z`, `${hash}.${claims}.s.t`]) {
    expect(() => parseJoinToken(bad)).toThrow(/join token is malformed/);
  }
});

it('[edgehub-2.13] reads addresses in all the forms that stand in configurations', () => {
  expect(parseAddress('10.0.0.1:10000', 1)).toEqual({ host: '10.0.0.1', port: 10_000 });
  expect(parseAddress('https://cloud.example:10002/', 1)).toEqual({ host: 'cloud.example', port: 10_002 });
  expect(parseAddress('[2001:db8::1]:443', 1)).toEqual({ host: '2001:db8::1', port: 443 });
  expect(parseAddress('cloud', 10_000)).toEqual({ host: 'cloud', port: 10_000 });
  for (const bad of ['', 'a b', '2001:db8::1', 'host:0', 'host:99999', 'host:x']) expect(() => parseAddress(bad, 1)).toThrow(/is no address/);
});
