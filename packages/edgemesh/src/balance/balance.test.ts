import { describe, expect, it } from 'vitest';
import { AffinityTable } from './affinity.js';
import { Balancer } from './balancer.js';
import { candidates, type CandidateRules } from './candidates.js';
import type { Endpoint } from '../data/service-table.js';
import { HealthBook } from './health.js';
import { pick, type Choice } from './strategy.js';

const at = (last: number, more: Partial<Endpoint> = {}): Endpoint => ({ address: `10.0.0.${last}`, port: 80, ready: true, ...more });
const names = (endpoints: readonly Endpoint[]): string => endpoints.map(({ address }) => address.split('.').pop()).join(' ');
const rules = (more: Partial<CandidateRules> = {}): CandidateRules => ({ node: 'n1', locality: 'spread', isEjected: () => false, ...more });
const choice = (more: Partial<Choice> = {}): Choice => ({ turn: 0, random: 0, open: () => 0, node: 'n1', ...more });

describe('who is asked', () => {
  const three = [at(3, { nodeName: 'n3', zone: 'b' }), at(1, { nodeName: 'n1', zone: 'a' }), at(2, { nodeName: 'n2', zone: 'a' })];
  const dead = (...keys: string[]) => ({ isEjected: (key: string) => keys.includes(key) });
  it.each<[string, readonly Endpoint[], Partial<CandidateRules>, string]>([
    ['all, in a fixed order', three, {}, '1 2 3'],
    ['ready ones', [at(1, { ready: false }), at(2)], {}, '2'],
    ['those that end, when none is ready', [at(1, { ready: false, serving: true, terminating: true }), at(2, { ready: false, terminating: true })], {}, '1'],
    ['none, when none answers', [at(1, { ready: false })], {}, ''],
    ['not the dead', three, dead('10.0.0.2:80'), '1 3'],
    ['all, when all are said to be dead', three, dead('10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80'), '1 2 3'],
    ['the node\'s own', three, { locality: 'near' }, '1'],
    ['the zone\'s, when the node has none', three, { locality: 'near', node: 'n9', zone: 'a' }, '1 2'],
    ['all, when the zone has none', three, { locality: 'near', node: 'n9', zone: 'z' }, '1 2 3'],
    ['others, when the node\'s own is dead', three, { locality: 'near', ...dead('10.0.0.1:80') }, '2 3'],
    ['the node\'s own and no others', three, { locality: 'node', node: 'n9' }, ''],
    ['each once', [at(1), at(1)], {}, '1'],
  ])('[edgemesh-40.1] %s', (_what, endpoints, more, expected) => {
    expect(names(candidates(endpoints, rules(more)))).toBe(expected);
  });
});

describe('which one of them', () => {
  const three = [at(1), at(2), at(3, { nodeName: 'n1' })];
  it('[edgemesh-40.2] round robin gives each the same; random by its number; least connections the idle, of equals the node\'s own', () => {
    expect(names([0, 1, 2, 3].map((turn) => pick('RoundRobin', three, choice({ turn })) as Endpoint))).toBe('1 2 3 1');
    expect(names([0, 0.34, 0.999, 1].map((random) => pick('Random', three, choice({ random })) as Endpoint))).toBe('1 2 3 3');
    const open = (counts: number[]) => (key: string) => counts[Number(key.at(7)) - 1] ?? 0;
    expect(pick('LeastConnections', three, choice({ open: open([4, 1, 2]) }))).toBe(three[1]);
    expect(pick('LeastConnections', three, choice({ open: open([1, 1, 1]) }))).toBe(three[2]);
    expect(names([0, 1].map((turn) => pick('LeastConnections', three, choice({ turn, open: open([1, 1, 2]) })) as Endpoint))).toBe('1 2');
    expect(pick('Random', [], choice())).toBeUndefined();
  });
});

it('[edgemesh-40.3] a source is remembered until its time is over, and of too many the one that came longest ago is forgotten', () => {
  const table = new AffinityTable({ seconds: 10, limit: 2 });
  table.keep('a', 'x', 0);
  table.keep('b', 'y', 0);
  table.keep('a', 'x', 5_000);
  table.keep('c', 'z', 6_000);
  expect([table.find('a', 14_999), table.find('a', 15_000), table.find('b', 6_000), table.size]).toEqual(['x', undefined, undefined, 2]);
});

it('[edgemesh-40.4] an endpoint that fails is ejected, tried by one after a while, ejected for longer, and well again after one success', () => {
  const book = new HealthBook({ rules: { failures: 2, firstMs: 100, limitMs: 300, trialMs: 50 } });
  expect([book.failed('a', 0), book.isEjected('a', 0)]).toEqual([false, false]);
  expect([book.failed('a', 0), book.isEjected('a', 99), book.isEjected('a', 100)]).toEqual([true, true, false]);
  book.tried('a', 100);
  expect([book.isEjected('a', 149), book.isEjected('a', 150)]).toEqual([true, false]);
  // Told once, though the trial failed: 200 now, and then no longer than 300.
  expect([book.failed('a', 110), book.isEjected('a', 309), book.isEjected('a', 310)]).toEqual([false, true, false]);
  expect([book.failed('a', 310), book.isEjected('a', 609), book.isEjected('a', 610)]).toEqual([false, true, false]);
  expect([book.succeeded('a'), book.isEjected('a', 0), book.succeeded('a')]).toEqual([true, false, false]);
  book.failed('b', 0);
  book.keepOnly(new Set(['c']));
  expect(book.size).toBe(0);
});

it('[edgemesh-40.5] one port: sources keep their endpoint while it lives, and a connection is not given the same endpoint twice', () => {
  const health = new HealthBook();
  const balancer = new Balancer({ health, rules: { node: 'n1', locality: 'spread' }, options: { strategy: 'RoundRobin', affinitySeconds: 60 }, now: () => 1000, random: () => 0 });
  balancer.setEndpoints([at(1), at(2), at(3)]);
  const first = balancer.choose('s');
  expect([balancer.choose('s'), balancer.choose('t')?.address]).toEqual([first, '10.0.0.3']);
  health.failed('10.0.0.1:80', 1000);
  health.failed('10.0.0.1:80', 1000);
  expect(balancer.choose('s')?.address).not.toBe('10.0.0.1');
  expect(balancer.choose('s', new Set(['10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80']))).toBeUndefined();
});

it('[edgemesh-40.6] least connections counts those that are open', () => {
  const balancer = new Balancer({ health: new HealthBook(), rules: { node: 'n1', locality: 'spread' }, options: { strategy: 'LeastConnections' }, now: () => 0, random: () => 0 });
  balancer.setEndpoints([at(1), at(2)]);
  const one = balancer.choose('s') as Endpoint;
  const close = balancer.opened(one);
  const other = balancer.choose('s') as Endpoint;
  expect(other).not.toBe(one);
  balancer.opened(other);
  close();
  expect(balancer.choose('s')).toBe(one);
});
