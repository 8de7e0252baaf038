import type { ConfigMap } from '@edge/protocol';
import { loops } from '@edge/testing';
import { describe, expect, it } from 'vitest';
import { eventually } from './support/agent.js';
import { openKillableScene } from './support/killable-scene.js';
import { killPodProcesses, podProcesses } from './support/leftovers.js';
import { CONFIG_MAPS, fill, PODS, runsPerPod, upToDate } from './support/pods.js';
import { openScene, sleeper, type Scene } from './support/scene.js';

const KILLS = loops(100, 20);
const CLOUD_KILLS = loops(5, 3);

/** Side by side: each has a cloud and an agent of its own, and they mostly wait. */
describe.concurrent('outage', () => {
  it(`[outage-1.2] ${KILLS} times killed without warning: pods are not restarted, nothing acknowledged is lost, nothing happens twice`, { timeout: 1_200_000 }, async () => {
    await using scene = await openScene();
    await scene.ready(0, 90_000);
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
    await scene.ready(back, 90_000);
    await eventually(() => extras(scene).length === 0, 60_000, () => `pods are stuck: ${extras(scene).join(', ')}`);
    expect(runsPerPod(scene)).toEqual(before);
    expect(podProcesses(scene.folder).filter(({ container }) => !before.has(container))).toEqual([]);
    await upToDate(scene);
  });

  it('[outage-1.3] the cloud killed without warning and started again: the node is Ready again, pods go on', { timeout: 600_000 }, async () => {
    await using scene = await openKillableScene();
    await scene.ready(0, 90_000);
    await scene.kubectl('apply', '-f', '-', JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [...Array(PODS).keys()].map((i) => sleeper(`sleeper-${i}`)) }));
    await scene.kubectl('wait', '--for=condition=Ready', 'pod', '--all', '--timeout=120s');
    const before = runsPerPod(scene);
    expect(before.size).toBe(PODS);
    for (let round = 0; round < CLOUD_KILLS; round += 1) {
      await scene.killCloud(Math.random() * 4000);
      await scene.ready(Date.now(), 90_000);
    }
    expect(runsPerPod(scene)).toEqual(before);
  });

  it('[outage-1.4] starts with the cable out, an expired certificate and no name service: pods run', { timeout: 600_000 }, async () => {
    await using scene = await openScene({ certificateTtl: 6000 });
    await scene.ready(0, 90_000);
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
