import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RelayMode } from '@edge/testing';
import type { ConfigMap } from '@edge/protocol';
import { describe, expect, it } from 'vitest';
import { eventually } from './support/agent.js';
import { killPodProcesses, podProcesses } from './support/leftovers.js';
import { openKillableScene } from './support/killable-scene.js';
import { openScene, sleeper, type Scene } from './support/scene.js';

const CUTS = 100;
const KILLS = 100;
const PODS = 5;
const CONFIG_MAPS = 200;

/** How often each pod's process was started, by the lines it wrote. */
function runsPerPod(scene: { readonly folder: string }): Map<string, number> {
  const runs = new Map<string, number>();
  for (const { container } of podProcesses(scene.folder)) {
    runs.set(container, readFileSync(`${container}/data/runs`, 'utf8').trim().split('\n').length);
  }
  return runs;
}

async function fill(scene: Scene): Promise<void> {
  const { api } = scene.cloud;
  const configMaps = api.resource<ConfigMap>('v1', 'configmaps');
  for (let i = 0; i < CONFIG_MAPS; i += 1) {
    await configMaps.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `settings-${i}`, namespace: 'default' }, data: { value: '0' } });
  }
  for (let i = 0; i < PODS; i += 1) {
    const pod = sleeper(`sleeper-${i}`) as { spec: { volumes: object[] } };
    for (let map = i; map < CONFIG_MAPS; map += PODS) pod.spec.volumes.push({ name: `settings-${map}`, configMap: { name: `settings-${map}` } });
    await api.resource('v1', 'pods').create(pod as never);
  }
  await eventually(
    () => [...Array(PODS).keys()].every((i) => scene.pod(`sleeper-${i}`)?.status?.phase === 'Running'),
    60_000,
    () => `pods do not run: ${[...Array(PODS).keys()].map((i) => scene.pod(`sleeper-${i}`)?.status?.phase).join(', ')}`,
  );
}

describe('outage', () => {
  it(`[outage-1.1] ${CUTS} random cuts: each time the link is open within 10 s of the path's return and the node Ready within 20 s`, { timeout: 1_200_000 }, async () => {
    await using scene = await openScene();
    await scene.ready(0, 30_000);
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
      const linked = scene.linked(10_000);
      // Something to acknowledge, so that a connection that lived through the cut is heard on.
      await configMaps.modify(name, 'default', (copy) => void (copy.data = { value: String(cut + 1), cut: mode }));
      await linked;
      await scene.ready(back, 20_000);
    }
    expect(runsPerPod(scene)).toEqual(before);
    await upToDate(scene);
  });

  it(`[outage-1.2] ${KILLS} times killed without warning: pods are not restarted, nothing acknowledged is lost, nothing happens twice`, { timeout: 1_200_000 }, async () => {
    await using scene = await openScene();
    await scene.ready(0, 30_000);
    await fill(scene);
    const { api } = scene.cloud;
    const configMaps = api.resource<ConfigMap>('v1', 'configmaps');
    const pods = api.resource('v1', 'pods');
    const before = runsPerPod(scene);
    for (let kill = 0; kill < KILLS; kill += 1) {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 1500));
      const name = `settings-${(kill * 7) % CONFIG_MAPS}`;
      await configMaps.modify(name, 'default', (copy) => void (copy.data = { value: String(kill + 1) }));
      if (kill % 10 === 0) await pods.create(sleeper(`extra-${kill}`) as never);
      if (kill % 10 === 5) await pods.delete(`extra-${kill - 5}`, 'default');
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 300));
      await scene.agent.kill();
      scene.agent.start();
    }
    const back = Date.now();
    await scene.ready(back, 20_000);
    await eventually(() => extras(scene).length === 0, 60_000, () => `pods are stuck: ${extras(scene).join(', ')}`);
    expect(runsPerPod(scene)).toEqual(before);
    expect(podProcesses(scene.folder).filter(({ container }) => !before.has(container))).toEqual([]);
    await upToDate(scene);
  });

  it('[outage-1.3] the cloud killed without warning and started again: the node is Ready again, pods go on', { timeout: 300_000 }, async () => {
    await using scene = await openKillableScene();
    await scene.ready(0, 30_000);
    await scene.kubectl('apply', '-f', '-', JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [...Array(PODS).keys()].map((i) => sleeper(`sleeper-${i}`)) }));
    await scene.kubectl('wait', '--for=condition=Ready', 'pod', '--all', '--timeout=60s');
    const before = runsPerPod(scene);
    expect(before.size).toBe(PODS);
    for (let round = 0; round < 5; round += 1) {
      await scene.killCloud(Math.random() * 4000);
      await scene.ready(Date.now(), 20_000);
    }
    expect(runsPerPod(scene)).toEqual(before);
  });

  it('[outage-1.4] starts with the cable out, an expired certificate and no name service: pods run', { timeout: 300_000 }, async () => {
    await using scene = await openScene({ certificateTtl: 6000 });
    await scene.ready(0, 30_000);
    await fill(scene);
    await scene.agent.kill();
    killPodProcesses(scene.folder);
    scene.relay.set('refuse');
    await new Promise((resolve) => setTimeout(resolve, 7000));
    scene.editConfig((text) => text.replaceAll('127.0.0.1', 'no-such-cloud.invalid'));
    scene.agent.start();
    await eventually(() => new Set(podProcesses(scene.folder).map(({ container }) => container)).size === PODS, 60_000, () => `${podProcesses(scene.folder).length} pod processes run; ${scene.agent.log.slice(-2000)}`);
  });
});

/** Pods beyond the five that are not gone. */
function extras(scene: Scene): string[] {
  return [...Array(KILLS).keys()].map((kill) => `extra-${kill}`).filter((name) => scene.pod(name) !== undefined);
}

/** The value of a ConfigMap in a pod's volume. */
function mounted(volumesOf: string, map: number): string | undefined {
  try {
    return readFileSync(join(volumesOf, `settings-${map}`, 'value'), 'utf8');
  } catch {
    return undefined;
  }
}

/** What the cloud has lies in the pods' volumes. */
async function upToDate(scene: Scene): Promise<void> {
  const configMaps = scene.cloud.api.resource<ConfigMap>('v1', 'configmaps');
  const stale = (): string[] =>
    [...Array(CONFIG_MAPS).keys()].flatMap((map) => {
      const uid = scene.pod(`sleeper-${map % PODS}`)?.metadata.uid ?? '';
      const volumes = join(scene.folder, 'node', 'agent', 'kubelet', 'pods', uid, 'volumes', 'kubernetes.io~configmap');
      const wanted = configMaps.find(`settings-${map}`, 'default')?.data?.['value'];
      const there = mounted(volumes, map);
      return there === wanted ? [] : [`settings-${map} is ${there}, should be ${wanted}`];
    });
  await eventually(() => stale().length === 0, 60_000, () => `not up to date in the pods: ${stale().join('; ')}`);
}
