import { startContainerd } from '@edge/testing';
import type { KubeNode, Pod } from '@edge/protocol';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { eventually } from '../support/agent.js';
import { attempts, podOn, readyMessage } from '../support/containers.js';
import { NODE, openScene } from '../support/scene.js';

/** Debian's place for what changes a program's idea of the time. */
const FAKETIME = ['x86_64', 'aarch64', 'arm'].map((cpu) => `/usr/lib/${cpu}-linux-gnu${cpu === 'arm' ? 'eabihf' : ''}/faketime/libfaketime.so.1`).find((path) => existsSync(path));
const folder = mkdtempSync(join(tmpdir(), 'edge-clock-'));
const offset = join(folder, 'offset');
const jump = (by: string): void => writeFileSync(offset, by);

afterAll(() => rmSync(folder, { recursive: true }));

it('[faults-6] the clock jumps a day ahead and two days back: nothing is restarted, probes and restarts go on, the node stays Ready', { timeout: 180_000 }, async () => {
  if (FAKETIME === undefined) throw new Error("this test sets the agent's clock: install Debian's package faketime");
  jump('+0');
  await using containerd = await startContainerd();
  const env = { LD_PRELOAD: FAKETIME, FAKETIME_TIMESTAMP_FILE: offset, FAKETIME_NO_CACHE: '1', DONT_FAKE_MONOTONIC: '1' };
  await using scene = await openScene({ containerd, env });
  await scene.ready(0, 30_000);
  const pods = scene.cloud.api.resource<Pod>('v1', 'pods');
  const steady = podOn(NODE, 'steady', 'touch /tmp/fit; while true; do sleep 1; done');
  steady.spec.containers[0] = { ...steady.spec.containers[0], name: 'main', readinessProbe: { exec: { command: ['test', '-e', '/tmp/fit'] }, periodSeconds: 1 } };
  await pods.create(steady as never);
  const isReady = (name: string): boolean => scene.pod(name)?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
  const restarts = (name: string): number => scene.pod(name)?.status?.containerStatuses?.[0]?.restartCount ?? 0;
  const until = (fits: () => boolean, text: string): Promise<void> => eventually(fits, 40_000, () => `${text}; agent's log ends:\n${scene.agent.log.slice(-2500)}`);
  await until(() => isReady('steady'), 'the pod is not ready');
  for (const [by, name] of [['+1d', 'ahead'], ['-1d', 'back']] as const) {
    jump(by);
    await pods.create(podOn(NODE, name, 'sleep 1; exit 3') as never);
    // The second restart waits ten seconds by whatever clock.
    await until(() => restarts(name) >= 2, `after a jump by ${by} a container is not restarted`);
    expect(restarts(name)).toBeLessThan(5);
    expect(readyMessage(scene.cloud.api.resource<KubeNode>('v1', 'nodes').find(NODE))).toBe('EdgeReady');
  }
  // The probe goes by no clock that jumps.
  await containerd.ctr('tasks', 'exec', '--exec-id', 'unfit', await idOf('steady'), 'rm', '/tmp/fit');
  await until(() => !isReady('steady'), 'the readiness probe has stopped');
  expect(await attempts(containerd, ['steady'])).toEqual(new Map([['steady', 1]]));

  async function idOf(name: string): Promise<string> {
    await until(() => scene.pod(name)?.status?.containerStatuses?.[0]?.containerID !== undefined, 'no container');
    return (scene.pod(name)?.status?.containerStatuses?.[0]?.containerID ?? '').replace('containerd://', '');
  }
});
