import { describe, expect, it } from 'vitest';
import { resolveNodeAddress, type NodeAddressQuestion } from './node-address.js';

const LO = { interface: 'lo', address: '127.0.0.1' };
const ETH = { interface: 'eth0', address: '192.0.2.2' };
const ETH6 = { interface: 'eth0', address: 'fd00::2' };
const ETH_LL = { interface: 'eth0', address: 'fe80::1' };
const WLAN = { interface: 'wlan0', address: '198.51.100.9' };
const WLAN6 = { interface: 'wlan0', address: '2001:db8::9' };
const DOCKER = { interface: 'docker0', address: '172.17.0.1' };
const route = (family: 4 | 6, name: string, metric = 0) => ({ family, interface: name, metric });

const never = (): Promise<readonly string[]> => Promise.reject(new Error('must not be asked'));
const unknown = (): Promise<readonly string[]> => Promise.reject(new Error('ENOTFOUND'));
const says = (...addresses: readonly string[]) => (): Promise<readonly string[]> => Promise.resolve(addresses);

const ask = (part: Partial<NodeAddressQuestion>) =>
  resolveNodeAddress({ customInterfaceName: '', nodeIP: '', hostname: 'vm', interfaces: [LO, DOCKER, ETH, ETH6, ETH_LL, WLAN], routes: [route(4, 'eth0', 100), route(4, 'wlan0', 600)], lookup: never, ...part });

describe('the configured interface', () => {
  it('[envcheck-3.1] goes before everything else and gives its IPv4 address', async () => {
    expect(await ask({ customInterfaceName: 'wlan0', nodeIP: 'nonsense' })).toEqual({ address: '198.51.100.9', addresses: ['198.51.100.9'], source: 'custom-interface' });
    expect((await ask({ customInterfaceName: 'eth0', interfaces: [ETH_LL, ETH6, ETH] })).address).toBe('192.0.2.2');
  });

  it('[envcheck-3.2] gives its IPv6 address when it has no other', async () => {
    expect((await ask({ customInterfaceName: 'eth0', interfaces: [ETH_LL, ETH6] })).address).toBe('fd00::2');
  });

  it.each([
    ['eth9', [LO, ETH]],
    ['eth0', [LO, ETH_LL, WLAN]],
    ['lo', [LO, ETH]],
  ])('[envcheck-3.3] %s without a usable address is an error that lists what there is', async (customInterfaceName, interfaces) => {
    await expect(ask({ customInterfaceName, interfaces })).rejects.toMatchObject({ code: 'envcheck.interface-unusable', message: expect.stringMatching(/usable here: \d+/) });
  });
});

describe('the configured address', () => {
  it('[envcheck-3.4] is taken when an interface has it, in any notation', async () => {
    expect(await ask({ nodeIP: '198.51.100.9' })).toEqual({ address: '198.51.100.9', addresses: ['198.51.100.9'], source: 'node-ip' });
    expect((await ask({ nodeIP: 'FD00:0::2' })).address).toBe('fd00::2');
  });

  it('[envcheck-3.5] may be an IPv4 and an IPv6 one', async () => {
    expect(await ask({ nodeIP: '192.0.2.2, fd00::2' })).toEqual({ address: '192.0.2.2', addresses: ['192.0.2.2', 'fd00::2'], source: 'node-ip' });
  });

  it.each([
    ['nonsense', 'no IP address'],
    ['192.0.2.2.', 'no IP address'],
    ['127.0.0.1', 'loopback'],
    ['0.0.0.0', 'unspecified'],
    ['::', 'unspecified'],
    ['224.0.0.1', 'multicast'],
    ['169.254.1.1', 'link-local'],
    ['fe80::1', 'link-local'],
    ['192.0.2.3', 'no interface'],
    ['192.0.2.2,', 'no IP address'],
    ['192.0.2.2,fd00::3', 'no interface'],
  ])('[envcheck-3.6] %s is refused: %s', async (nodeIP, why) => {
    await expect(ask({ nodeIP })).rejects.toMatchObject({ code: 'envcheck.node-ip-invalid', message: expect.stringContaining(why) });
  });
});

describe('the address found from the host name', () => {
  it('[envcheck-3.7] is the one the name stands for', async () => {
    expect(await ask({ lookup: says('198.51.100.9') })).toEqual({ address: '198.51.100.9', addresses: ['198.51.100.9'], source: 'hostname' });
    expect((await ask({ lookup: says('fd00::2') })).address).toBe('fd00::2');
  });

  it('[envcheck-3.8] of several is the one on the default route, not that of a container bridge', async () => {
    expect((await ask({ lookup: says('172.17.0.1', '198.51.100.9', '192.0.2.2') })).address).toBe('192.0.2.2');
    expect((await ask({ lookup: says('172.17.0.1', '198.51.100.9', '192.0.2.2'), routes: [route(4, 'eth0', 700), route(4, 'wlan0', 600)] })).address).toBe('198.51.100.9');
    expect((await ask({ lookup: says('172.17.0.1', '192.0.2.2', '198.51.100.9'), routes: [] })).address).toBe('192.0.2.2');
  });

  it('[envcheck-3.9] of an IPv4 and an IPv6 one is the IPv4 one; with an IPv6 default route alone the IPv6 one', async () => {
    const interfaces = [LO, ETH6, ETH];
    expect((await ask({ interfaces, lookup: says('fd00::2', '192.0.2.2'), routes: [route(6, 'eth0'), route(4, 'eth0')] })).address).toBe('192.0.2.2');
    expect((await ask({ interfaces, lookup: says('fd00::2', '192.0.2.2'), routes: [route(6, 'eth0')] })).address).toBe('fd00::2');
  });

  it('[envcheck-3.10] ignores what is not an address of this machine', async () => {
    expect(await ask({ lookup: says('127.0.1.1', '203.0.113.5', 'junk') })).toMatchObject({ address: '192.0.2.2', source: 'default-route' });
  });

  it('[envcheck-3.11] a host name that is an address is taken without a lookup', async () => {
    expect(await ask({ hostname: '198.51.100.9' })).toMatchObject({ address: '198.51.100.9', source: 'hostname' });
  });

  it('[envcheck-3.12] knows second addresses of an interface', async () => {
    expect((await ask({ interfaces: [WLAN, { interface: 'eth0:1', address: '192.0.2.77' }], lookup: unknown })).address).toBe('192.0.2.77');
  });
});

describe('the address found without the host name', () => {
  it('[envcheck-3.13] is on the default route, of the smallest metric', async () => {
    expect(await ask({ lookup: unknown })).toMatchObject({ address: '192.0.2.2', source: 'default-route' });
    expect((await ask({ lookup: unknown, routes: [route(4, 'eth0', 700), route(4, 'wlan0', 600)] })).address).toBe('198.51.100.9');
    expect((await ask({ lookup: unknown, interfaces: [WLAN6, ETH6], routes: [route(6, 'wlan0', 1), route(6, 'eth0', 0)] })).address).toBe('fd00::2');
  });

  it('[envcheck-3.14] else is any usable one, a container bridge last', async () => {
    expect(await ask({ lookup: unknown, routes: [] })).toMatchObject({ address: '192.0.2.2', source: 'any' });
    expect((await ask({ lookup: unknown, routes: [], interfaces: [DOCKER, WLAN6] })).address).toBe('2001:db8::9');
    expect((await ask({ lookup: unknown, routes: [], interfaces: [LO, DOCKER] })).address).toBe('172.17.0.1');
    expect((await ask({ lookup: unknown, routes: [route(4, 'gone0')] })).source).toBe('any');
  });

  it('[envcheck-3.15] is absent, and no error, with the cable out', async () => {
    expect(await ask({ interfaces: [LO, ETH_LL] })).toEqual({ addresses: [], source: 'none' });
  });

  it('[envcheck-3.16] does not wait for a lookup that never ends', async () => {
    const silent = (): Promise<readonly string[]> => new Promise(() => undefined);
    expect(await ask({ lookup: silent, lookupLimit: 20 })).toMatchObject({ address: '192.0.2.2', source: 'default-route' });
  });

  it('[envcheck-3.17] stops waiting when told to', async () => {
    const stop = new AbortController();
    const silent = (): Promise<readonly string[]> => new Promise(() => stop.abort());
    await expect(ask({ lookup: silent, signal: stop.signal })).rejects.toMatchObject({ code: 'core.aborted' });
    await expect(ask({ lookup: silent, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'core.aborted' });
  });

  it('[envcheck-3.18] survives a lookup that throws at once', async () => {
    const broken = (): Promise<readonly string[]> => {
      throw new Error('no');
    };
    expect(await ask({ lookup: broken })).toMatchObject({ source: 'default-route' });
  });
});
