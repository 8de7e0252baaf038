import { expect, it } from 'vitest';
import { hostPort } from './address.js';

it.each([
  ['192.0.2.2', '192.0.2.2:10000'],
  ['cloud.example', 'cloud.example:10000'],
  ['fd00::2', '[fd00::2]:10000'],
])('[protocol-address.1] writes %s with its port as %s', (host, written) => {
  expect(hostPort(host, 10_000)).toBe(written);
  expect(new URL(`https://${written}`).port).toBe('10000');
});
