import { afterEach, describe, expect, it } from 'vitest';
import type { Pod } from '@edge/protocol';
import { openScene, pod, type Scene, type SceneOptions } from './scene.js';

let scene: Scene;
const open = async (options?: SceneOptions): Promise<Scene> => (scene = await openScene(options));
afterEach(async () => {
  await scene?.[Symbol.asyncDispose]();
});
const maxPods = (count: number): SceneOptions => ({ config: { tailoredKubeletConfig: { maxPods: count } } });
const status = (name: string) => scene.cloud.pods.get(`default/${name}`)?.status;
const priority = (value: number): Partial<Pod['spec']> => ({ priority: value });

describe('admission', () => {
  it('[edged-31.10] a pod that is turned away fails with its reason, is never run, and stays so when the agent restarts', async () => {
    const { cloud, runtime } = await open(maxPods(1));
    await cloud.push(pod('first'), 'insert');
    await cloud.until('Running', () => status('first')?.phase === 'Running');
    await cloud.push(pod('second'), 'insert');
    await cloud.until('rejected', () => status('second')?.phase === 'Failed');
    expect(status('second')).toMatchObject({ reason: 'OutOfpods', message: "Pod was rejected: Node didn't have enough resource: pods, requested: 1, used: 1, capacity: 1" });
    // kubectl shows a waiting container before the reason of the pod.
    expect(status('second')?.containerStatuses).toBeUndefined();
    await scene.restart(() => {
      // The first one leaves, which makes room, but the decision was made.
      cloud.pods.delete('default/first');
      cloud.stored.delete('pod default/first');
    });
    await cloud.push(pod('third'), 'insert');
    await cloud.until('Running', () => status('third')?.phase === 'Running');
    expect(status('second')).toMatchObject({ phase: 'Failed', reason: 'OutOfpods' });
    expect((await runtime.listPodSandboxes()).filter(({ metadata }) => metadata.name === 'second')).toEqual([]);
  });

  it('[edged-31.11] a rejection that the cloud has not heard of survives a restart without a link', async () => {
    const { cloud } = await open(maxPods(1));
    await cloud.push(pod('first'), 'insert');
    await cloud.until('Running', () => status('first')?.phase === 'Running');
    cloud.online = false;
    await cloud.push(pod('second'), 'insert');
    await cloud.until('said', () => cloud.patches(pod('second')).length > 0);
    await scene.restart(() => {
      cloud.stored.delete('pod default/first');
      cloud.pods.delete('default/first');
    });
    cloud.online = true;
    await scene.restart();
    await cloud.until('rejected', () => status('second')?.phase === 'Failed');
    expect(status('second')?.reason).toBe('OutOfpods');
  });

  it('[edged-31.12] running pods are not judged again after a restart, whatever has changed', async () => {
    const { cloud, runtime } = await open(maxPods(2));
    for (const name of ['a', 'b']) await cloud.push(pod(name), 'insert');
    await cloud.until('both Running', () => status('a')?.phase === 'Running' && status('b')?.phase === 'Running');
    await scene.agent.stop();
    const other = await openScene({ ...maxPods(1), cloud, runtime: runtime.reopen() });
    await cloud.push({ ...(cloud.pods.get('default/a') as Pod), metadata: { ...cloud.pods.get('default/a')?.metadata, labels: { seen: 'yes' } } });
    await cloud.push(pod('c'), 'insert');
    await cloud.until('c is turned away', () => status('c')?.phase === 'Failed');
    expect([status('a')?.phase, status('b')?.phase]).toEqual(['Running', 'Running']);
    await other.agent.stop();
  });

  it('[edged-31.13] a critical pod finds room: a pod that asked for nothing ends with reason Preempting', async () => {
    const { cloud } = await open(maxPods(2));
    for (const name of ['low', 'lower']) await cloud.push(pod(name, name === 'low' ? { containers: [{ name: 'c', image: 'i', command: ['run'], resources: { requests: { cpu: '1m' } } }] } : {}), 'insert');
    await cloud.until('both Running', () => status('low')?.phase === 'Running' && status('lower')?.phase === 'Running');
    await cloud.push(pod('vital', priority(2_000_000_000)), 'insert');
    await cloud.until('Running', () => status('vital')?.phase === 'Running');
    expect(status('lower')).toMatchObject({ phase: 'Failed', reason: 'Preempting' });
    expect(status('lower')?.conditions?.find(({ type }) => type === 'DisruptionTarget')).toMatchObject({ status: 'True', reason: 'TerminationByKubelet' });
    expect(status('low')?.phase).toBe('Running');
  });

  it('[edged-31.14] the room of a pod that has ended is free', async () => {
    const { cloud } = await open(maxPods(1));
    await cloud.push(pod('once', { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i', command: ['exit', '0'] }] }), 'insert');
    await cloud.until('over', () => status('once')?.phase === 'Succeeded');
    await cloud.push(pod('next'), 'insert');
    await cloud.until('Running', () => status('next')?.phase === 'Running');
  });
});
