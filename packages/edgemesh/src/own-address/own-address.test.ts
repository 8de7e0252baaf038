import { describe, expect, it } from 'vitest';
import type { KubeObject } from '@edge/protocol';
import { MeshTable } from '../data/mesh-table.js';
import type { ServiceName } from '../data/service-table.js';
import { OwnAddressTable } from './own-address-table.js';
import { OwnAddresses } from './own-addresses.js';
import { addressOf, chooseRange, numberOf, parseRange, type Range } from './range.js';

const range = (text: string): Range => parseRange(text) as Range;
const web = (index: number): string => `default/web${index}`;
const service = (name: string, spec: object = {}, metadata: object = {}): KubeObject => ({ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'default', ...metadata }, spec: { clusterIP: `10.96.0.${name.length}`, ports: [{ port: 80 }], ...spec } });
const keyed = (object: KubeObject): { key: string; object: KubeObject } => ({ key: `/Service/${object.metadata.name}`, object });
const gone = (object: KubeObject): { key: string; object: undefined } => ({ key: keyed(object).key, object: undefined });

describe('a range', () => {
  it.each(['240.96.0.0/16', '127.96.0.0/16', '10.200.0.0/20', '172.16.0.0/12', '192.168.7.16/28', '254.255.255.240/28'])('[edgemesh-49.1] %s is one', (text) => {
    const { first, size } = range(text);
    expect([`${addressOf(first)}/${32 - Math.log2(size)}`, numberOf(addressOf(first + size - 1)) - first]).toEqual([text, size - 1]);
  });

  it.each(['', 'x', '240.96.0.0', '240.96.0.1/16', '240.96.0.0/8', '240.96.0.0/30', '8.8.0.0/16', '9.251.0.0/16', '100.64.0.0/16', '127.0.0.0/16', '255.255.255.0/24', '224.0.0.0/16', 'fd00::/16', '10.0.0.0/16/2'])('[edgemesh-49.11] %s is none', (text) => {
    expect(parseRange(text)).toBeUndefined();
  });

  it('[edgemesh-49.2] without the right to make a route it is one of the loopback, unless another is insisted on, which is refused', async () => {
    const may = (can: boolean) => () => Promise.resolve(can);
    expect([(await chooseRange('', may(true))).text, (await chooseRange('', may(false))).text]).toEqual(['240.96.0.0/16', '127.96.0.0/16']);
    expect((await chooseRange('127.7.0.0/16', may(false))).isLoopback).toBe(true);
    await expect(chooseRange('10.200.0.0/20', may(false))).rejects.toMatchObject({ code: 'edgemesh.intercept', message: expect.stringContaining('CAP_NET_ADMIN') as string });
  });
});

describe('who has which address', () => {
  it('[edgemesh-49.3] each has one of its own within the range, the same after a restart, in whatever order they come, but for those that want the same', () => {
    const keys = Array.from({ length: 2_000 }, (_, index) => web(index));
    const [once, again] = [keys, [...keys].reverse()].map((order) => {
      const addresses = new OwnAddresses({ range: range('240.96.0.0/16') });
      return new Map(order.map((key) => [key, addresses.take(key) as string]));
    }) as [Map<string, string>, Map<string, string>];
    expect(new Set(once.values()).size).toBe(2_000);
    expect([...once.values()].every((address) => address.startsWith('240.96.'))).toBe(true);
    // Of 2,000 in 65,536 places some 30 meet another.
    expect(keys.filter((key) => once.get(key) !== again.get(key)).length).toBeLessThan(100);
  });

  it('[edgemesh-49.4] all of a small range are given, none twice and none that is reserved; what one has stays while others come and go', () => {
    const addresses = new OwnAddresses({ range: range('10.9.0.0/28'), reserved: ['10.9.0.7'] });
    const given = Array.from({ length: 13 }, (_, index) => addresses.take(web(index)));
    expect(new Set(given)).toEqual(new Set(Array.from({ length: 14 }, (_, index) => `10.9.0.${index + 1}`).filter((address) => address !== '10.9.0.7')));
    expect(addresses.take(web(13))).toBeUndefined();
    addresses.release(web(4));
    expect([addresses.take(web(13)), addresses.ownerOf(given[4] as string)]).toEqual([given[4], web(13)]);
    expect([0, 1, 12].map((index) => addresses.take(web(index)))).toEqual([given[0], given[1], given[12]]);
  });
});

describe('services with own addresses', () => {
  it('[edgemesh-49.5] have it in place of their cluster addresses, of one family, and are found by both; those without, elsewhere and of other proxies are as they were', () => {
    const inner = new MeshTable();
    const foreign = service('foreign', {}, { labels: { 'service.kubernetes.io/service-proxy-name': 'x' } });
    inner.apply([service('both', { clusterIPs: ['10.96.0.4', 'fd96::4'] }), service('bare', { clusterIP: 'None' }), service('away', { type: 'ExternalName', externalName: 'a.example' }), foreign].map(keyed));
    using table = new OwnAddressTable({ table: inner, range: range('240.96.0.0/16'), say: () => undefined });
    const both = table.get('default', 'both');
    expect(both?.clusterIPs).toEqual([expect.stringMatching(/^240\.96\./)]);
    for (const address of [both?.clusterIPs[0] as string, '10.96.0.4', 'fd96::4']) expect(table.byAddress(address)).toBe(both);
    expect([...table.all()].map(({ name, clusterIPs: [address] }) => `${name} ${address?.slice(0, 6)}`).sort()).toEqual(['away undefined', 'bare undefined', 'both 240.96', 'foreign 10.96.']);
    // What did not change is the same object.
    expect([table.get('default', 'both'), [...table.all()][0]]).toEqual([both, both]);
    expect(table.get('default', 'both')).toBe(both);
  });

  it('[edgemesh-49.6] keep it through changes, and one that found all taken has an address when another leaves, which is told', () => {
    const inner = new MeshTable();
    const said: string[] = [];
    const services = Array.from({ length: 14 }, (_, index) => service(`s${String(index).padStart(2, '0')}`));
    inner.apply(services.map(keyed));
    using table = new OwnAddressTable({ table: inner, range: range('10.9.0.0/28'), reserved: ['10.9.0.1'], say: (text) => void said.push(text) });
    const [first, last] = [services[0], services[13]] as [KubeObject, KubeObject];
    const address = table.get('default', 's00')?.clusterIPs[0] as string;
    expect([table.get('default', 's13')?.clusterIPs, said]).toEqual([[], ['service default/s13 has no address: all of 10.9.0.0/28 are taken']]);
    const heard: ServiceName[] = [];
    using _subscription = table.changes.subscribe((changed) => void heard.push(...changed));
    inner.apply([keyed(service('s00', { ports: [{ port: 81 }] }))]);
    expect([table.get('default', 's00')?.clusterIPs, table.get('default', 's00')?.ports[0]?.port]).toEqual([[address], 81]);
    inner.apply([gone(first)]);
    expect(table.get('default', 's13')?.clusterIPs).toEqual([address]);
    expect([table.byAddress(address)?.name, heard.map(({ name }) => name)]).toEqual(['s13', ['s00', 's00', 's13']]);
    inner.apply([gone(last)]);
    expect(table.byAddress(address)).toBeUndefined();
  });
});
