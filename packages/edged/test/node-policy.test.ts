import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { KubeNode, PodStatus } from '@edge/protocol';
import { openScene, pod, type Scene, type SceneOptions } from './scene.js';

let scene: Scene;
const path = process.env['PATH'];
afterEach(async () => {
  await scene?.[Symbol.asyncDispose]();
  process.env['PATH'] = path;
});
const open = async (options?: SceneOptions): Promise<Scene> => (scene = await openScene(options));
const status = (name: string): PodStatus | undefined => scene.cloud.pods.get(`default/${name}`)?.status;
const nodeCondition = (type: string) => scene.cloud.node?.status?.conditions?.find((condition) => condition.type === type);
const podCondition = (name: string, type: string) => status(name)?.conditions?.find((condition) => condition.type === type);

/** Stands in for systemd, which says this when it is asked how the machine is. */
async function systemdSays(state: string): Promise<void> {
  const folder = join(scene.root, 'bin');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'systemctl'), `#!/bin/sh\necho ${state}\n[ ${state} = running ]\n`);
  await chmod(join(folder, 'systemctl'), 0o755);
  process.env['PATH'] = `${folder}:${path}`;
}

describe('eviction', () => {
  it('[edged-32.20] a node without memory says so, ends pods that are not critical and takes no further ones', async () => {
    const kubelet: Record<string, unknown> = {};
    const { cloud } = await open({ config: { tailoredKubeletConfig: kubelet } });
    await cloud.push(pod('usual'), 'insert');
    await cloud.push(pod('critical', { priority: 2_000_000_000 }), 'insert');
    await cloud.until('both Running', () => status('usual')?.phase === 'Running' && status('critical')?.phase === 'Running');
    expect(nodeCondition('MemoryPressure')?.status).toBe('False');
    await scene.restart(() => {
      kubelet['evictionHard'] = { 'memory.available': '900Ti' };
    });
    await cloud.until('evicted', () => status('usual')?.phase === 'Failed');
    expect(status('usual')).toMatchObject({ reason: 'Evicted', message: expect.stringMatching(/^The node was low on resource: memory\. Threshold quantity: 900Ti, available: /) as string });
    expect(podCondition('usual', 'DisruptionTarget')).toMatchObject({ status: 'True', reason: 'TerminationByKubelet' });
    await cloud.until('the condition', () => nodeCondition('MemoryPressure')?.status === 'True');
    expect(nodeCondition('MemoryPressure')).toMatchObject({ reason: 'KubeletHasInsufficientMemory', message: 'kubelet has insufficient memory available' });
    await cloud.push(pod('late'), 'insert');
    await cloud.until('turned away', () => status('late')?.phase === 'Failed');
    expect(status('late')).toMatchObject({ reason: 'Evicted', message: 'Pod was rejected: The node had condition: [MemoryPressure]. ' });
    expect(status('critical')?.phase).toBe('Running');
  });
});

describe('deadlines', () => {
  it('[edged-35.2] a pod that is active for longer than it may ends with reason DeadlineExceeded', async () => {
    const { cloud, runtime } = await open();
    await cloud.push(pod('brief', { activeDeadlineSeconds: 1, terminationGracePeriodSeconds: 1 }), 'insert');
    await cloud.until('Running', () => status('brief')?.phase === 'Running');
    await cloud.until('over', () => status('brief')?.phase === 'Failed');
    expect(status('brief')?.reason).toBe('DeadlineExceeded');
    expect((await runtime.listContainers()).map(({ state }) => state)).toEqual(['exited']);
  });

  it('[edged-35.3] the time goes on while the agent is away, also when the cloud has not heard of the start', async () => {
    const { cloud, runtime } = await open();
    cloud.online = false;
    await cloud.push(pod('brief', { activeDeadlineSeconds: 2 }), 'insert');
    await expect.poll(async () => (await runtime.listContainers()).map(({ state }) => state)).toEqual(['running']);
    await scene.restart();
    await scene.restart();
    await expect.poll(async () => (await runtime.listContainers()).map(({ state }) => state)).toEqual(['exited']);
    const starts = cloud.patches(pod('brief')).flatMap(({ status: said }) => (said as unknown as PodStatus).startTime ?? []);
    expect(new Set(starts).size).toBe(1);
    cloud.online = true;
    await scene.restart();
    await cloud.until('said', () => status('brief')?.phase === 'Failed');
    expect(status('brief')?.reason).toBe('DeadlineExceeded');
  });
});

describe('shutdown of the machine', () => {
  const config = { tailoredKubeletConfig: { shutdownGracePeriod: '4s', shutdownGracePeriodCriticalPods: '2s' } };

  it('[edged-35.4] pods end, critical ones last, and node and pods say why before the agent ends', async () => {
    const { cloud, runtime } = await open({ config });
    await cloud.push(pod('usual'), 'insert');
    await cloud.push(pod('critical', { priority: 2_000_000_000 }), 'insert');
    await cloud.until('both Running', () => status('usual')?.phase === 'Running' && status('critical')?.phase === 'Running');
    await systemdSays('stopping');
    await scene.agent.stop();
    expect([status('usual'), status('critical')]).toMatchObject([{ phase: 'Failed', reason: 'Terminated' }, { phase: 'Failed', reason: 'Terminated' }]);
    expect(podCondition('usual', 'DisruptionTarget')?.status).toBe('True');
    const ended = cloud.received.filter(({ content }) => typeof content === 'string' && content.includes('"reason":"Terminated"')).map(({ route }) => route.resource);
    expect(ended).toEqual(['default/podpatch/usual', 'default/podpatch/critical']);
    expect(nodeCondition('Ready')).toMatchObject({ status: 'False', reason: 'KubeletNotReady', message: 'node is shutting down' });
    expect((await runtime.listContainers()).filter(({ state }) => state === 'running')).toEqual([]);
  });

  it.each(['running', 'degraded', 'maintenance'])('[edged-35.5] while the machine is %s, the end of the agent touches no pod', async (state) => {
    const { cloud, runtime } = await open({ config });
    await cloud.push(pod('usual'), 'insert');
    await cloud.until('Running', () => status('usual')?.phase === 'Running');
    await systemdSays(state);
    await scene.agent.stop();
    expect((await runtime.listContainers()).map((container) => container.state)).toEqual(['running']);
    expect(status('usual')?.phase).toBe('Running');
  });

  it('[edged-35.6] without a configured period pods are left alone', async () => {
    const { cloud, runtime } = await open();
    await cloud.push(pod('usual'), 'insert');
    await cloud.until('Running', () => status('usual')?.phase === 'Running');
    await systemdSays('stopping');
    await scene.agent.stop();
    expect((await runtime.listContainers()).map((container) => container.state)).toEqual(['running']);
  });
});

describe('node', () => {
  it('[edged-35.7] what the runtime offers and what others have announced on the node stays in its status', async () => {
    const { cloud, runtime } = await open({ config: { tailoredKubeletConfig: { nodeStatusUpdateFrequency: '50ms' } } });
    await cloud.until('registered', () => cloud.node);
    const { status: before, ...rest } = cloud.node as KubeNode;
    const gpu = { 'vendor.example/gpu': '1' };
    cloud.node = { ...rest, status: { ...before, capacity: { ...before?.capacity, ...gpu }, allocatable: { ...before?.allocatable, ...gpu } } };
    cloud.stored.set('node', JSON.stringify(cloud.node));
    runtime.setConditions([{ type: 'RuntimeReady', status: false, reason: 'r', message: 'm' }]);
    await cloud.until('a patch', () => nodeCondition('Ready')?.status === 'False');
    expect(cloud.node?.status?.capacity?.['vendor.example/gpu']).toBe('1');
    runtime.setConditions([{ type: 'RuntimeReady', status: true, reason: '', message: '' }]);
    await cloud.until('Ready', () => nodeCondition('Ready')?.status === 'True');
    // What the node has been announced to have can be asked for, up to what there is.
    const asks = (count: string) => ({ containers: [{ name: 'c', image: 'i', command: ['run'], resources: { limits: { 'vendor.example/gpu': count } } }] });
    await cloud.push(pod('one', asks('1')), 'insert');
    await cloud.push(pod('two', asks('2')), 'insert');
    await cloud.until('decided', () => status('one')?.phase === 'Running' && status('two')?.phase === 'Failed');
    expect(status('two')?.reason).toBe('OutOfvendor.example/gpu');
  });

  it('[edged-35.8] when the node gets another address, node and pods say so at its next look', async () => {
    const addresses = ['192.0.2.10'];
    const { cloud } = await open({ addresses, config: { tailoredKubeletConfig: { nodeStatusUpdateFrequency: '50ms' } } });
    await cloud.push(pod('web'), 'insert');
    await cloud.until('Running', () => status('web')?.phase === 'Running');
    addresses[0] = '192.0.2.99';
    await cloud.until('the pod says so', () => status('web')?.hostIP === '192.0.2.99');
    await cloud.until('the node says so', () => cloud.node?.status?.addresses?.some(({ address }) => address === '192.0.2.99'));
  });
});
