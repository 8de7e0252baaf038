import { silentLogger } from '@edge/core';
import type { Pod } from '@edge/protocol';
import { expect, it } from 'vitest';
import type { Volumes } from './volumes.js';
import { VolumeRefresh } from './volume-refresh.js';

const pod = (volumes: object[]): Pod => ({ metadata: { name: 'p', namespace: 'default', uid: 'u' }, spec: { containers: [], volumes: volumes as never } });

/** Volumes whose writing takes until `release` is called. */
function slowVolumes(): { volumes: Volumes; calls: () => number; release: () => void } {
  let calls = 0;
  const open: (() => void)[] = [];
  const refresh = (): Promise<void> => {
    calls += 1;
    return new Promise((resolve) => open.push(() => resolve()));
  };
  return { volumes: { refresh } as unknown as Volumes, calls: () => calls, release: () => open.shift()?.() };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('[edged-8.20] many changes while the files are being written cost one more round, and the last one is not missed', async () => {
  const { volumes, calls, release } = slowVolumes();
  const refresh = new VolumeRefresh({ volumes, facts: () => ({}) as never, log: silentLogger });
  const signal = new AbortController().signal;
  for (let change = 0; change < 50; change += 1) refresh.refresh(pod([{ name: 'v', configMap: { name: 'c' } }]), signal);
  expect(calls()).toBe(1);
  release();
  await turn();
  expect(calls()).toBe(2);
  release();
  await turn();
  expect(calls()).toBe(2);
});

it('[edged-8.21] a pod that mounts no objects is left alone', () => {
  const { volumes, calls } = slowVolumes();
  const refresh = new VolumeRefresh({ volumes, facts: () => ({}) as never, log: silentLogger });
  refresh.refresh(pod([{ name: 'v', emptyDir: {} }, { name: 'h', hostPath: { path: '/tmp' } }]), new AbortController().signal);
  expect(calls()).toBe(0);
});
