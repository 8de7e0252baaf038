import { afterEach, describe, expect, it } from 'vitest';
import type { Pod } from '@edge/protocol';
import { openScene, pod, type Scene } from './scene.js';

let scene: Scene;
afterEach(async () => {
  await scene?.[Symbol.asyncDispose]();
});
const status = (name: string) => scene.cloud.pods.get(`default/${name}`)?.status;
const held = (name: string) => status(name)?.conditions?.find(({ type }) => type === 'HeldUpgrade');
const annotations = { 'edge.kubeedge.io/hold-upgrade': 'true' };
const release = (name: string) => scene.cloud.raw('unhold-upgrade', `default/pod/${name}`, null);

describe('hold and release', () => {
  it.each(['insert', 'update'])('[edged-34.1] a new pod with the annotation (%s) stays Pending, says so, and runs when it is released', async (operation) => {
    scene = await openScene();
    const { cloud, runtime } = scene;
    await cloud.push(pod('web', { annotations }), operation);
    await cloud.until('held', () => held('web')?.status === 'True');
    expect(held('web')?.reason).toBe('HoldUpgradeEnabled');
    expect(cloud.patches(pod('web')).map(({ status: said }) => Object.keys(said as unknown as object))).toEqual([['conditions']]);
    await cloud.push(cloud.pods.get('default/web') as Pod);
    expect(status('web')?.phase).toBe('Pending');
    expect(runtime.calls.get('runPodSandbox')).toBeUndefined();
    await release('web');
    await cloud.until('Running', () => status('web')?.phase === 'Running');
    expect(held('web')?.status).toBe('False');
  });

  it('[edged-34.2] a held pod is still held after a restart, with or without a link, and a released one is not', async () => {
    scene = await openScene();
    const { cloud, runtime } = scene;
    for (const name of ['waits', 'goes']) await cloud.push(pod(name, { annotations }), 'insert');
    await cloud.until('both held', () => held('waits') && held('goes'));
    scene.disconnect();
    cloud.online = false;
    await scene.restart();
    await release('goes');
    await expect.poll(async () => (await runtime.listContainers()).map(({ labels }) => labels['io.kubernetes.pod.name'])).toEqual(['goes']);
    await scene.restart();
    expect((await runtime.listPodSandboxes()).map(({ metadata }) => metadata.name)).toEqual(['goes']);
    cloud.online = true;
    scene.connect();
    await scene.restart();
    await cloud.until('Running', () => status('goes')?.phase === 'Running');
    expect([status('waits')?.phase, held('waits')?.status]).toEqual(['Pending', 'True']);
  });

  it('[edged-34.3] a held pod can be deleted, and the annotation holds nothing that runs', async () => {
    scene = await openScene();
    const { cloud } = scene;
    await cloud.push(pod('web', { annotations }), 'insert');
    await cloud.until('held', () => held('web'));
    await cloud.startDeletion(pod('web'), 30);
    await cloud.until('gone', () => !cloud.pods.has('default/web'));
    await cloud.push(pod('runs'), 'insert');
    await cloud.until('Running', () => status('runs')?.phase === 'Running');
    const running = cloud.pods.get('default/runs') as Pod;
    await cloud.push({ ...running, metadata: { ...running.metadata, annotations }, spec: { ...running.spec, containers: [{ name: 'c', image: 'next', command: ['run'] }] } });
    await cloud.until('the new image', () => status('runs')?.containerStatuses?.[0]?.image === 'next');
  });

  it('[edged-34.4] a pod that was begun and does not run yet keeps its definition until the change is released', async () => {
    scene = await openScene();
    const { cloud, runtime } = scene;
    const stuck = pod('web', { initContainers: [{ name: 'init', image: 'one', command: ['run'] }] });
    await cloud.push(stuck, 'insert');
    const images = async () => (await runtime.listContainers()).filter(({ state }) => state === 'running').map(({ image }) => image);
    await expect.poll(images).toEqual(['one']);
    await cloud.until('said', () => status('web')?.initContainerStatuses?.[0]?.state.running);
    const begun = cloud.pods.get('default/web') as Pod;
    await cloud.push({ ...begun, metadata: { ...begun.metadata, annotations }, spec: { ...begun.spec, initContainers: [{ name: 'init', image: 'two', command: ['run'] }] } });
    await cloud.until('held', () => held('web')?.status === 'True');
    expect(await images()).toEqual(['one']);
    await release('web');
    await expect.poll(images).toEqual(['two']);
    await cloud.until('released', () => held('web')?.status === 'False');
  });
});
