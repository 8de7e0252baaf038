import type { ConfigMap } from '@edge/protocol';
import { FULL_TESTS, loops, type RelayMode } from '@edge/testing';
import { describe, expect, it } from 'vitest';
import { CONFIG_MAPS, fill, PODS, runsPerPod, upToDate } from './support/pods.js';
import { openScene } from './support/scene.js';

/** Nodes that are cut off at the same time, and how often each. */
const NODES = 4;
const CUTS = loops(25, 5);
/** Where everything runs beside this a machine is late. */
const LINK_MS = FULL_TESTS ? 10_000 : 30_000;
const READY_MS = 2 * LINK_MS;

/** Cuts one node off `CUTS` times in random ways and looks that it comes back by itself. */
async function cutOff(): Promise<void> {
  await using scene = await openScene();
  await scene.ready(0, 60_000);
  await fill(scene);
  const before = runsPerPod(scene);
  expect(before.size).toBe(PODS);
  const modes: readonly RelayMode[] = ['drop', 'refuse', 'one-way', 'garble', 'stall'];
  const configMaps = scene.cloud.api.resource<ConfigMap>('v1', 'configmaps');
  for (let cut = 0; cut < CUTS; cut += 1) {
    const mode = modes[Math.floor(Math.random() * modes.length)] as RelayMode;
    scene.relay.set(mode);
    const name = `settings-${cut % CONFIG_MAPS}`;
    await configMaps.modify(name, 'default', (copy) => void (copy.data = { value: String(cut + 1) }));
    // Mostly short; now and then longer than it takes to notice and to give up several attempts.
    await new Promise((resolve) => setTimeout(resolve, Math.random() < 0.1 ? 5000 + Math.random() * 10_000 : Math.random() * 800));
    if (mode === 'drop' && cut % 2 === 0) scene.relay.reset();
    scene.relay.set('open');
    const back = Date.now();
    const linked = scene.linked(LINK_MS);
    // Something to acknowledge, so that a connection that lived through the cut is heard on.
    await configMaps.modify(name, 'default', (copy) => void (copy.data = { value: String(cut + 1), cut: mode }));
    await linked.catch((error: unknown) => {
      throw new Error(`cut ${cut} was "${mode}", the path came back at ${new Date(back).toISOString()}`, { cause: error });
    });
    await scene.ready(back, READY_MS);
  }
  expect(runsPerPod(scene)).toEqual(before);
  await upToDate(scene);
}

describe('outage', () => {
  it(`[outage-1.1] ${NODES * CUTS} random cuts: each time the link is open within ${LINK_MS / 1000} s of the path's return and the node Ready within ${READY_MS / 1000} s`, { timeout: 1_200_000 }, async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: NODES }, () => cutOff()));
    expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([]);
  });
});
