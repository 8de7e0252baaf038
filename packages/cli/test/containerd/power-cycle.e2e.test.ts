import { loops, startContainerd } from '@edge/testing';
import { expect, it } from 'vitest';
import { eventually } from '../support/agent.js';
import { podOn, running } from '../support/containers.js';
import { NODE, openScene } from '../support/scene.js';

const PODS = loops(50, 20);

it(`[power-1] a power cycle with the cable out: ${PODS} pods run again without the cloud`, { timeout: 600_000 }, async () => {
  await using containerd = await startContainerd();
  await using scene = await openScene({ containerd });
  await scene.ready(0, 90_000);
  const names = [...Array(PODS).keys()].map((index) => `pod-${index}`);
  for (const name of names) await scene.cloud.api.resource('v1', 'pods').create(podOn(NODE, name, 'while true; do sleep 5; done') as never);
  await eventually(() => names.every((name) => scene.pod(name)?.status?.phase === 'Running'), 120_000, () => `not all run: ${names.filter((name) => scene.pod(name)?.status?.phase !== 'Running').join(', ')}\n${scene.agent.log.slice(-2000)}`);

  scene.relay.set('refuse');
  await scene.agent.kill();
  await containerd.powerCut();
  expect((await running(containerd)).size).toBe(0);
  const start = Date.now();
  scene.agent.start();
  await eventually(
    async () => new Set((await running(containerd)).values()).size === PODS && (await running(containerd)).size === 2 * PODS,
    120_000,
    () => `not all run again; agent's log ends:\n${scene.agent.log.slice(-3000)}`,
  );
  console.log(`${PODS} pods run again ${((Date.now() - start) / 1000).toFixed(1)} s after the agent's start`);
  scene.relay.set('open');
  const restarted = (name: string): boolean => scene.pod(name)?.status?.containerStatuses?.[0]?.restartCount === 1 && scene.pod(name)?.status?.phase === 'Running';
  await eventually(() => names.every(restarted), 120_000, () => `the cloud does not know of the restarts: ${names.filter((name) => !restarted(name)).join(', ')}`);
});
