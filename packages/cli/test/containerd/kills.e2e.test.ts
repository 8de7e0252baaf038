import { loops, startContainerd } from '@edge/testing';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Pod } from '@edge/protocol';
import { eventually } from '../support/agent.js';
import { attempts, doubles, podOn, podUids } from '../support/containers.js';
import { NODE, openScene } from '../support/scene.js';

const KILLS = loops(100, 20);
const PODS_AT_A_TIME = 6;

/** Pods that do something worth losing: one that ends with a code of its own, one that runs on. */
function churner(index: number): Pod {
  const code = (index % 7) + 1;
  const pod = index % 2 === 0 ? podOn(NODE, `ends-${index}`, `sleep 0.${index % 10}; exit ${code}`) : podOn(NODE, `stays-${index}`, 'while true; do sleep 1; done');
  return { ...pod, spec: { ...pod.spec, restartPolicy: 'Never' } };
}

it(`[kills-1] the agent killed without warning at ${KILLS} points of the lives of pods: no orphan, nothing twice, no exit code lost, nothing stuck`, { timeout: 600_000 }, async () => {
  await using containerd = await startContainerd();
  await using scene = await openScene({ containerd });
  await scene.ready(0, 90_000);
  const api = scene.cloud.api.resource<Pod>('v1', 'pods');
  const steady = podOn(NODE, 'steady', 'while true; do sleep 1; done');
  await api.create(steady as never);
  await eventually(() => scene.pod('steady')?.status?.phase === 'Running', 30_000, () => `not running: ${scene.agent.log.slice(-2000)}`);

  const alive: number[] = [];
  const wrong: string[] = [];
  const name = (index: number): string => churner(index).metadata.name ?? '';
  const check = (index: number): void => {
    const exitCode = scene.pod(name(index))?.status?.containerStatuses?.[0]?.state.terminated?.exitCode;
    if (index % 2 === 0 && exitCode !== undefined && exitCode !== (index % 7) + 1) wrong.push(`${name(index)} ended with ${exitCode}`);
  };
  let next = 0;
  for (let kill = 0; kill < KILLS; kill += 1) {
    await api.create(churner(next) as never);
    alive.push(next);
    next += 1;
    if (alive.length > PODS_AT_A_TIME) {
      const index = alive.shift() ?? 0;
      check(index);
      await api.delete(name(index), 'default');
    }
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 1200));
    await scene.agent.kill();
    scene.agent.start();
  }
  await scene.ready(Date.now(), 90_000);
  const settled = (): boolean =>
    alive.every((index) => (index % 2 === 0 ? scene.pod(name(index))?.status?.phase === 'Failed' : scene.pod(name(index))?.status?.phase === 'Running'));
  const all = async (): Promise<Pod[]> => (await api.list()).items;
  const left = async (): Promise<string[]> => (await all()).filter(({ metadata }) => metadata.deletionTimestamp !== undefined).map(({ metadata }) => metadata.name ?? '');
  let stuck: string[] = [];
  await eventually(async () => (stuck = await left()).length === 0 && settled(), 60_000, () => `not settled; terminating: ${stuck.join(', ')}; ${alive.map((index) => `${name(index)} ${scene.pod(name(index))?.status?.phase}`).join(', ')}\n${scene.agent.log.slice(-2000)}`);

  for (const index of alive) check(index);
  expect(wrong).toEqual([]);
  expect(await doubles(containerd)).toEqual([]);
  expect(await attempts(containerd, ['steady', ...alive.map(name)])).toEqual(new Map(['steady', ...alive.map(name)].map((pod) => [pod, 1])));
  const known = new Set((await all()).map(({ metadata }) => metadata.uid ?? ''));
  const orphans = async (): Promise<string[]> => [...(await podUids(containerd))].filter((uid) => !known.has(uid));
  let found: string[] = [];
  await eventually(async () => (found = await orphans()).length === 0, 60_000, () => `the runtime has pods that nobody knows: ${found.join(', ')}`);
  // A folder whose pod went while the agent was away is removed once it has been found ownerless twice: after ten seconds and a minute later.
  const folders = (): string[] => readdirSync(join(scene.folder, 'node', 'agent', 'kubelet', 'pods')).filter((uid) => !known.has(uid));
  await eventually(() => folders().length === 0, 180_000, () => `folders of pods that nobody knows: ${folders().join(', ')}`);
});
