import { expect, it } from 'vitest';
import { claimProblem, readClaims, type Claims } from './claims.js';

const RULES = { issuers: ['https://one', 'https://two'], audiences: ['https://one', 'edge'] };
const raw = (over: Record<string, unknown> = {}): Record<string, unknown> => ({
  iss: 'https://one', aud: ['edge'], exp: 2000, nbf: 1000,
  'kubernetes.io': { namespace: 'default', serviceaccount: { name: 'a', uid: 'u' }, pod: { name: 'p', uid: 'pu' } }, ...over,
});
const problem = (over: Record<string, unknown>, now = 1500): string | undefined => claimProblem(readClaims(raw(over)) as Claims, RULES, now * 1000);

it('[metaserver-20.1] a token is for its issuer, audience and time', () => {
  expect(problem({})).toBeUndefined();
  expect(problem({ iss: 'https://two', aud: 'edge' })).toBeUndefined();
  // Without an audience it is for the API server.
  expect(problem({ aud: undefined })).toBeUndefined();
  expect(problem({ exp: undefined, nbf: undefined })).toBeUndefined();
  expect(problem({ iss: 'https://three' })).toMatch(/issuer https:\/\/three is none of/);
  expect(problem({ iss: undefined })).toMatch(/issuer/);
  expect(problem({ aud: ['vault', 'other'] })).toMatch(/it is for vault, other and not for https:\/\/one, edge/);
  // A minute for clocks that differ.
  expect(problem({}, 2059)).toBeUndefined();
  expect(problem({}, 2061)).toBe('it has expired');
  expect(problem({}, 941)).toBeUndefined();
  expect(problem({}, 939)).toBe('it is not valid yet');
});

it('[metaserver-20.2] a token that does not say whose it is, is none', () => {
  expect(readClaims(raw())).toMatchObject({ namespace: 'default', account: { name: 'a', uid: 'u' }, pod: { name: 'p', uid: 'pu' }, secret: undefined });
  const own = (over: Record<string, unknown>): unknown => readClaims(raw({ 'kubernetes.io': { namespace: 'default', serviceaccount: { name: 'a', uid: 'u' }, ...over } }));
  expect(readClaims(raw({ 'kubernetes.io': undefined }))).toBe('it is no token of a service account');
  expect(own({ namespace: 7 })).toBe('it is no token of a service account');
  expect(own({ serviceaccount: { name: 'a' } })).toBe('it names no service account');
  expect(own({ pod: { name: 'p' } })).toBe('what it is bound to has no name and uid');
  expect(own({ secret: 'x' })).toBe('what it is bound to has no name and uid');
  expect(readClaims(raw({ exp: '2000' }))).toBe('its times are no numbers');
  expect(readClaims(raw({ aud: [1] }))).toBe('its audiences are no texts');
});
