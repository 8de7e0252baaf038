import { silentLogger, type RuntimeContainer, type RuntimeImage } from '@edge/core';
import type { Pod } from '@edge/protocol';
import { createMemoryRuntime } from '@edge/testing';
import { describe, expect, it } from 'vitest';
import { ImageCollector } from './image-collector.js';

const never = new AbortController().signal;

/** A machine with five images of 100 bytes each on a disk of 1000. */
function machine(parts: { full?: number; pods?: readonly Pod[] | undefined; stuck?: string } = {}) {
  const images = new Set(['used', 'named', 'old', 'older', 'stuck']);
  let available = 1000 - (parts.full ?? 900);
  const runtime = Object.assign(createMemoryRuntime({}), {
    imageFilesystems: async () => [{ mountpoint: '/images', usedBytes: 0, inodesUsed: 0 }],
    listImages: async () => [...images].map((id): RuntimeImage => ({ id, tags: [`${id}:1`], digests: [], sizeBytes: 100 })),
    listContainers: async () => [{ image: 'used:1', imageRef: 'used' } as RuntimeContainer],
    removeImage: async (id: string) => {
      if (id === parts.stuck) throw new Error('in use by another');
      images.delete(id);
      available += 100;
    },
  });
  const pod: Pod = { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'named:1' }] } };
  const pods = 'pods' in parts ? parts.pods : [pod];
  const rules = { highPercent: 85, lowPercent: 75, minAgeMs: 0, maxAgeMs: 0 };
  const collector = new ImageCollector({
    runtime, rules, sandboxImage: 'pause:1', pods: () => pods, connected: () => true, log: silentLogger,
    filesystem: async () => ({ capacityBytes: 1000, availableBytes: available }),
  });
  return { images, collector };
}

describe('the collector of images', () => {
  it('[edged-23.36] removes as many as it takes, goes on after one that cannot be removed, and leaves what pods name', async () => {
    const { images, collector } = machine({ stuck: 'old' });
    await collector.collect(never);
    expect([...images].sort()).toEqual(['named', 'old', 'used']);
  });

  it('[edged-23.37] removes nothing while there is room, and nothing before all pods of the node are known', async () => {
    const roomy = machine({ full: 500 });
    await roomy.collector.collect(never);
    expect(roomy.images.size).toBe(5);
    const early = machine({ pods: undefined });
    await early.collector.collect(never);
    expect([early.images.size, await early.collector.removeUnused(never)]).toEqual([5, 0]);
  });

  it('[edged-23.38] gives everything unused to those who are short of space', async () => {
    const { images, collector } = machine({ full: 100 });
    expect(await collector.removeUnused(never)).toBe(300);
    expect([...images].sort()).toEqual(['named', 'used']);
  });
});
