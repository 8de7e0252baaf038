import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Pod } from '@edge/protocol';
import { createMemoryRuntime } from '@edge/testing';
import { NODE, openScene, PlayedCloud, pod, type Scene, type SceneOptions } from './scene.js';

let scene: Scene;
afterEach(async () => {
  await scene?.[Symbol.asyncDispose]();
});
const open = async (options?: SceneOptions): Promise<Scene> => (scene = await openScene(options));
const manifest = (name: string, image = 'one', more = '') => `{apiVersion: v1, kind: Pod, metadata: {name: ${name}}, spec: {terminationGracePeriodSeconds: 1, containers: [{name: c, image: ${image}, command: [run]}]${more}}}`;
const put = async (file: string, text: string): Promise<void> => {
  await mkdir(join(scene.root, 'manifests'), { recursive: true });
  await writeFile(join(scene.root, 'manifests', file), text);
};
const drop = (file: string) => rm(join(scene.root, 'manifests', file));
const mirror = (name: string): Pod | undefined => scene.cloud.pods.get(`default/${name}-${NODE}`);
const running = async () => (await scene.runtime.listContainers()).filter(({ state }) => state === 'running');
const images = async () => (await running()).map(({ image }) => image).sort();

describe('static pods', () => {
  it('[edged-33.10] a file starts a pod and a mirror of it, whose status is that of the pod', async () => {
    const { cloud, runtime } = await open();
    await cloud.until('registered', () => cloud.node);
    await put('web.yaml', manifest('web'));
    await cloud.until('mirror Running', () => mirror('web')?.status?.phase === 'Running');
    const { metadata } = mirror('web') as Pod;
    const [sandbox] = await runtime.listPodSandboxes();
    const hash = sandbox?.metadata.uid;
    expect(metadata).toMatchObject({
      annotations: { 'kubernetes.io/config.mirror': hash, 'kubernetes.io/config.hash': hash, 'kubernetes.io/config.source': 'file' },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: NODE, uid: 'node-uid', controller: true }],
    });
    expect(metadata.uid).not.toBe(hash);
    expect(cloud.sent('insert', `default/pod/web-${NODE}`)).toHaveLength(1);
    expect(sandbox?.annotations).toMatchObject({ 'kubernetes.io/config.source': 'file', 'kubernetes.io/config.hash': hash });
    expect(Date.parse(sandbox?.annotations['kubernetes.io/config.seen'] ?? '')).toBeGreaterThan(0);
    const log = (await runtime.containerStatus((await running())[0]?.id ?? '')).logPath;
    expect(log).toContain(`/default_web-${NODE}_${hash}/c/0.log`);
    const said = cloud.patches(mirror('web') as Pod) as unknown as { metadata: { uid: string } }[];
    expect(new Set(said.map((one) => one.metadata.uid))).toEqual(new Set([metadata.uid]));
  });

  it('[edged-33.11] a changed file replaces pod and mirror, a removed one ends both, with no time to wait for the API object', async () => {
    const { cloud } = await open();
    await put('web.yaml', manifest('web'));
    await cloud.until('Running', () => mirror('web')?.status?.phase === 'Running');
    const first = mirror('web')?.metadata.uid;
    await put('web.yaml', manifest('web', 'two'));
    await cloud.until('the new one Running', () => mirror('web')?.metadata.uid !== first && mirror('web')?.status?.phase === 'Running');
    expect(await images()).toEqual(['two']);
    expect(cloud.sent('delete', `default/pod/web-${NODE}`)[0]?.content).toEqual({ gracePeriodSeconds: 0, preconditions: { uid: first } });
    await drop('web.yaml');
    await cloud.until('gone', () => mirror('web') === undefined);
    await expect.poll(async () => (await scene.runtime.listPodSandboxes()).length).toBe(0);
  });

  it('[edged-33.12] runs without a link and without a node object; the mirror follows when both are there', async () => {
    const { cloud } = await open({ connected: false });
    await put('web.yaml', manifest('web'));
    await expect.poll(images).toEqual(['one']);
    expect(cloud.sent('insert', `default/pod/web-${NODE}`)).toEqual([]);
    scene.connect();
    await cloud.until('mirror Running', () => mirror('web')?.status?.phase === 'Running');
    expect((await running()).length).toBe(1);
  });

  it('[edged-33.13] a restart of the agent touches neither pod nor mirror, and keeps the start time', async () => {
    const { cloud, runtime } = await open();
    await put('web.yaml', manifest('web'));
    await cloud.until('Running', () => mirror('web')?.status?.phase === 'Running');
    const before = { id: (await running())[0]?.id, uid: mirror('web')?.metadata.uid, startTime: mirror('web')?.status?.startTime };
    const patches = cloud.patches(mirror('web') as Pod).length;
    await scene.restart();
    await cloud.push(pod('later'), 'insert');
    await cloud.until('later Running', () => cloud.pods.get('default/later')?.status?.phase === 'Running');
    expect({ id: (await running()).find(({ labels }) => labels['io.kubernetes.pod.name'] === `web-${NODE}`)?.id, uid: mirror('web')?.metadata.uid, startTime: mirror('web')?.status?.startTime }).toEqual(before);
    expect(runtime.calls.get('stopContainer')).toBeUndefined();
    expect(cloud.patches(mirror('web') as Pod).length).toBe(patches);
  });

  it('[edged-33.14] a bad file is no reason to end anything: its last good pod goes on, also over a restart, and others are not concerned', async () => {
    const { cloud } = await open();
    await put('web.yaml', manifest('web'));
    await put('other.json', manifest('other', 'two').replaceAll(/(\w+):/g, '"$1":').replaceAll(/: (\w+)/g, ': "$1"').replace('"1"', '1').replace('[run]', '["run"]'));
    await expect.poll(images).toEqual(['one', 'two']);
    await put('web.yaml', '{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {');
    await put('.web.yaml.swp', 'no pod at all');
    await put('third.yaml', manifest('third', 'three'));
    await expect.poll(images).toEqual(['one', 'three', 'two']);
    await drop('third.yaml');
    await expect.poll(images).toEqual(['one', 'two']);
    await scene.restart();
    await put('third.yaml', manifest('third', 'three'));
    await expect.poll(images).toEqual(['one', 'three', 'two']);
    await drop('third.yaml');
    await expect.poll(images).toEqual(['one', 'two']);
    await put('web.yaml', manifest('web'));
    await cloud.until('both have mirrors', () => mirror('web')?.status?.phase === 'Running' && mirror('other')?.status?.phase === 'Running');
    expect(scene.runtime.calls.get('createContainer')).toBe(3);
  });

  it('[edged-33.15] a mirror that somebody deletes comes back, and the pod runs on', async () => {
    const { cloud } = await open();
    await put('web.yaml', manifest('web'));
    await cloud.until('Running', () => mirror('web')?.status?.phase === 'Running');
    const [uid, container] = [mirror('web')?.metadata.uid, (await running())[0]?.id];
    await cloud.startDeletion(mirror('web') as Pod, 30);
    await cloud.until('a new mirror', () => mirror('web') !== undefined && mirror('web')?.metadata.uid !== uid && mirror('web')?.status?.phase === 'Running');
    expect((await running()).map(({ id }) => id)).toEqual([container]);
  });

  it('[edged-33.16] a mirror whose file went while the agent was away is removed with its pod; a mirror never becomes a pod', async () => {
    const cloud = new PlayedCloud();
    const runtime = createMemoryRuntime({});
    await open({ cloud, runtime });
    await put('web.yaml', manifest('web'));
    await cloud.until('Running', () => mirror('web')?.status?.phase === 'Running');
    await scene.agent.stop();
    await drop('web.yaml');
    await scene.restart();
    await cloud.until('gone', () => mirror('web') === undefined);
    await expect.poll(async () => (await scene.runtime.listPodSandboxes()).length).toBe(0);
    expect(runtime.calls.get('startContainer')).toBe(1);
  });

  it('[edged-33.17] a pod from the API that claims to come from a file is one from the API all the same', async () => {
    const { cloud, runtime } = await open();
    await cloud.push(pod('liar', { annotations: { 'kubernetes.io/config.source': 'file' } }), 'insert');
    await cloud.until('Running', () => cloud.pods.get('default/liar')?.status?.phase === 'Running');
    expect((await runtime.listPodSandboxes())[0]?.annotations['kubernetes.io/config.source']).toBe('api');
    await put('web.yaml', manifest('web'));
    await expect.poll(async () => (await running()).length).toBe(2);
  });
});
