import { describe, expect, it } from 'vitest';
import { canonical, unusable } from './ip.js';

describe('addresses', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    [' 192.0.2.1 ', '192.0.2.1'],
    ['FD00:0:0::0002', 'fd00::2'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['192.0.2', undefined],
    ['192.0.2.01', undefined],
    ['vm', undefined],
    ['', undefined],
    ['192.0.2.1/24', undefined],
  ])('[envcheck-1.1] %j is %j', (text, expected) => {
    expect(canonical(text)).toBe(expected);
  });

  it.each([
    ['0.0.0.0', 'unspecified'],
    ['::', 'unspecified'],
    ['127.3.4.5', 'loopback'],
    ['::1', 'loopback'],
    ['239.1.1.1', 'multicast'],
    ['ff02::1', 'multicast'],
    ['169.254.30.10', 'link-local'],
    ['febf::1', 'link-local'],
  ])('[envcheck-1.2] %s is no node address: %s', (address, why) => {
    expect(unusable(address)).toContain(why);
  });

  it.each(['192.0.2.1', '10.0.0.1', '100.64.0.1', 'fd00::2', '2001:db8::1'])('[envcheck-1.3] %s can be a node address', (address) => {
    expect(unusable(address)).toBeUndefined();
  });
});
