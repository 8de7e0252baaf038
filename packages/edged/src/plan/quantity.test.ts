import { describe, expect, it } from 'vitest';
import { nodeResources } from './node-resources.js';
import { formatBytes, formatMilli, parseQuantity } from './quantity.js';

describe('quantities', () => {
  it.each([
    ['1', 1000n],
    ['100m', 100n],
    ['0.5', 500n],
    ['1Ki', 1_024_000n],
    ['1.5Gi', 1_610_612_736_000n],
    ['2k', 2_000_000n],
    ['1e3', 1_000_000n],
    ['-1', -1000n],
    ['0.0001', 1n],
  ])('[edged-10.1] reads %s', (text, milli) => {
    expect(parseQuantity(text)).toBe(milli);
  });

  it.each(['', 'x', '1Xi', '1 Gi', '.', '9'.repeat(40)])('[edged-10.2] refuses "%s"', (text) => {
    expect(() => parseQuantity(text)).toThrow(/no resource quantity/);
  });

  it('[edged-10.3] writes the shortest form without fraction', () => {
    expect([0n, 1024n, 1025n, 104857600n, 25276502016n].map(formatBytes)).toEqual(['0', '1Ki', '1025', '100Mi', '24684084Ki']);
    expect([2000n, 1500n].map(formatMilli)).toEqual(['2', '1500m']);
  });

  it('[edged-10.4] allocatable is what is left of the capacity; huge pages are no memory; nothing goes below zero', () => {
    const machine = { milliCpu: 4000, memory: 2n ** 33n, storage: 2n ** 40n, hugePages: { '2Mi': 2n ** 30n } };
    const rules = { maxPods: 110, podsPerCore: 10, systemReserved: { cpu: '500m', memory: '1Gi' }, kubeReserved: { cpu: '8' }, evictionHard: { 'memory.available': '100Mi' }, ignoreEvictionLimits: false };
    expect(nodeResources(machine, rules)).toEqual({
      capacity: { cpu: '4', 'ephemeral-storage': '1Ti', 'hugepages-2Mi': '1Gi', memory: '8Gi', pods: '40' },
      allocatable: { cpu: '0', 'ephemeral-storage': '1Ti', 'hugepages-2Mi': '1Gi', memory: '6044Mi', pods: '40' },
    });
  });
});
