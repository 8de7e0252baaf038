import type { RuntimeImage } from '@edge/core';
import { describe, expect, it } from 'vitest';
import { nodeImages } from './node-images.js';
import { keptImages, planImageGc, type ImageGcInput } from './plan-image-gc.js';

const MINUTE = 60_000;
const NOW = 1_000 * MINUTE;
const image = (id: string, parts: Partial<RuntimeImage> = {}): RuntimeImage => ({ id, tags: [`registry.example/${id}:1`], digests: [`registry.example/${id}@sha256:${id}`], sizeBytes: 10, ...parts });

function plan(parts: Partial<ImageGcInput> & { fill?: number }): { remove: string[]; candidates: string[]; bytesToFree: number } {
  const { fill = 90, ...rest } = parts;
  const { remove, candidates, bytesToFree } = planImageGc({
    rules: { highPercent: 85, lowPercent: 80, minAgeMs: 2 * MINUTE, maxAgeMs: 0 },
    images: [image('a'), image('b'), image('c')],
    records: new Map([['a', { noticedAt: 1, usedAt: NOW - 10 * MINUTE }], ['b', { noticedAt: 1, usedAt: 0 }], ['c', { noticedAt: 1, usedAt: NOW - 20 * MINUTE }]]),
    kept: new Set(),
    filesystem: { capacityBytes: 1000, availableBytes: 1000 - fill * 10 },
    connected: true,
    startedAt: 0,
    now: NOW,
    ...rest,
  });
  const ids = (images: readonly RuntimeImage[]): string[] => images.map(({ id }) => id);
  return { remove: ids(remove), candidates: ids(candidates), bytesToFree };
}

describe('collecting images', () => {
  it('[edged-23.30] nothing goes below the upper threshold; above it the longest unused go until the fill is at the lower one', () => {
    expect(plan({ fill: 84 }).bytesToFree).toBe(0);
    expect(plan({ fill: 85 })).toEqual({ remove: [], candidates: ['b', 'c', 'a'], bytesToFree: 50 });
    expect(plan({ rules: { highPercent: 100, lowPercent: 80, minAgeMs: 0, maxAgeMs: 0 }, fill: 100 }).bytesToFree).toBe(0);
  });

  it('[edged-23.31] what is needed, pinned, or new stays', () => {
    expect(plan({ kept: new Set(['b']) }).candidates).toEqual(['c', 'a']);
    expect(plan({ images: [image('b', { pinned: true }), image('c')] }).candidates).toEqual(['c']);
    expect(plan({ records: new Map([['a', { noticedAt: NOW - MINUTE, usedAt: 0 }], ['b', { noticedAt: 1, usedAt: NOW - MINUTE }], ['c', { noticedAt: 0, usedAt: 0 }]]) }).candidates).toEqual(['c']);
  });

  it('[edged-23.32] offline an image cannot come back: nothing goes before the disk is as good as full, and then no more than has to', () => {
    expect(plan({ connected: false, fill: 94 }).bytesToFree).toBe(0);
    expect(plan({ connected: false, fill: 96 }).bytesToFree).toBe(110);
    expect(plan({ connected: false, rules: { highPercent: 85, lowPercent: 80, minAgeMs: 0, maxAgeMs: 1 } }).remove).toEqual([]);
  });

  it('[edged-23.33] what nobody has used for longer than imageMaximumGCAge goes whatever the fill, counted from the start of the agent at the earliest', () => {
    const rules = { highPercent: 85, lowPercent: 80, minAgeMs: 0, maxAgeMs: 15 * MINUTE };
    expect(plan({ rules, fill: 1 })).toEqual({ remove: ['b', 'c'], candidates: ['a'], bytesToFree: 0 });
    expect(plan({ rules, fill: 1, startedAt: NOW - 5 * MINUTE }).remove).toEqual([]);
  });

  it('[edged-23.34] images of existing containers and of all pods of the node are needed, however they are written; sandbox images too', () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    const images = [
      image('hub', { tags: ['docker.io/library/busybox:latest'], digests: [] }),
      image('digest', { tags: [], digests: [`quay.io/app@${digest}`] }),
      image('id'),
      image('pause', { tags: ['registry.example/kubeedge/pause:3.6'] }),
      image('pause2', { tags: ['k8s.gcr.io/pause-amd64:3.9'] }),
      image('unused', { tags: ['registry.example/pausebutton:1'] }),
    ];
    expect([...keptImages(images, ['id'], ['busybox', `quay.io/app:v1@${digest}`, 'Bad Name'])].sort()).toEqual(['digest', 'hub', 'id', 'pause', 'pause2']);
  });

  it('[edged-23.35] the status of the node lists the largest ones', () => {
    const images = [image('a', { sizeBytes: 1 }), image('b', { sizeBytes: 3, tags: Array.from({ length: 9 }, (_, index) => `b:${index}`) }), image('c', { sizeBytes: 2 }), image('d', { tags: [], digests: [] })];
    expect(nodeImages(images, 2)).toEqual([
      { names: ['registry.example/b@sha256:b', 'b:0', 'b:1', 'b:2', 'b:3'], sizeBytes: 3 },
      { names: ['registry.example/c@sha256:c', 'registry.example/c:1'], sizeBytes: 2 },
    ]);
    expect(nodeImages(images, -1)).toHaveLength(3);
    expect(nodeImages(images, 0)).toEqual([]);
  });
});
