import { errorCode } from '@edge/core';
import { expect, it } from 'vitest';
import type { RuntimeScene } from '../suite-kit.js';

/** Chapter 1: sandboxes. */
export function sandboxChapter(scene: RuntimeScene): void {
  it('[runtime-1.1] a new sandbox is ready and keeps what it was given', async () => {
    const pod = scene.podConfig();
    const before = Date.now();
    const id = await scene.runtime.runPodSandbox(pod);
    const status = await scene.runtime.podSandboxStatus(id);
    expect(status).toMatchObject({ id, state: 'ready', metadata: pod.metadata, labels: pod.labels, annotations: pod.annotations, hostNetwork: false });
    expect(status.createdAt).toBeGreaterThanOrEqual(before - 1000);
    expect(status.createdAt).toBeLessThanOrEqual(Date.now() + 1000);
  });

  it('[runtime-1.2] lists sandboxes by id, state and labels', async () => {
    const [first, second] = [scene.podConfig({ labels: { suite: 'list', which: 'a' } }), scene.podConfig({ labels: { suite: 'list', which: 'b' } })];
    const a = await scene.runtime.runPodSandbox(first);
    const b = await scene.runtime.runPodSandbox(second);
    await scene.runtime.stopPodSandbox(b);
    const ids = async (filter: Parameters<typeof scene.runtime.listPodSandboxes>[0]): Promise<string[]> =>
      (await scene.runtime.listPodSandboxes(filter)).map((sandbox) => sandbox.id).sort();
    expect(await ids({ labels: { suite: 'list' } })).toEqual([a, b].sort());
    expect(await ids({ labels: { suite: 'list', which: 'a' } })).toEqual([a]);
    expect(await ids({ labels: { suite: 'list' }, state: 'notready' })).toEqual([b]);
    expect(await ids({ id: a })).toEqual([a]);
    expect(await ids({ id: a, state: 'notready' })).toEqual([]);
    expect(await ids({})).toEqual(expect.arrayContaining([a, b]));
  });

  it('[runtime-1.3] a stopped sandbox is not ready, and stopping it again succeeds', async () => {
    const id = await scene.runtime.runPodSandbox(scene.podConfig());
    await scene.runtime.stopPodSandbox(id);
    await scene.runtime.stopPodSandbox(id);
    expect((await scene.runtime.podSandboxStatus(id)).state).toBe('notready');
  });

  it('[runtime-1.4] a removed sandbox is gone, and removing it again succeeds', async () => {
    const id = await scene.runtime.runPodSandbox(scene.podConfig());
    await scene.runtime.removePodSandbox(id);
    await scene.runtime.removePodSandbox(id);
    expect(await scene.runtime.listPodSandboxes({ id })).toEqual([]);
    await expect(scene.runtime.podSandboxStatus(id)).rejects.toSatisfy((error) => errorCode(error) === 'runtime.not-found');
  });

  it('[runtime-1.5] stopping a sandbox ends its containers by force and keeps them', async () => {
    const { sandbox, container } = await scene.ready(scene.commands.stubborn());
    await scene.runtime.stopPodSandbox(sandbox);
    expect(await scene.runtime.containerStatus(container)).toMatchObject({ state: 'exited', exitCode: 137 });
    expect((await scene.runtime.listContainers({ sandboxId: sandbox })).map(({ id }) => id)).toEqual([container]);
  });

  it('[runtime-1.6] removing a sandbox removes its containers, running or not', async () => {
    const { pod, sandbox, container } = await scene.ready(scene.commands.stubborn());
    const other = await scene.runtime.createContainer(sandbox, scene.containerConfig(scene.commands.run(), { metadata: { name: 'other', attempt: 0 } }), pod);
    await scene.runtime.removePodSandbox(sandbox);
    expect(await scene.runtime.listContainers({ sandboxId: sandbox })).toEqual([]);
    for (const id of [container, other]) await expect(scene.runtime.containerStatus(id)).rejects.toSatisfy((error) => errorCode(error) === 'runtime.not-found');
  });

  it('[runtime-1.7] there is one sandbox per pod and attempt, and its name is free after removal', async () => {
    const pod = scene.podConfig({ labels: { suite: 'once' } });
    const id = await scene.runtime.runPodSandbox(pod);
    const second = await scene.runtime.runPodSandbox(pod).catch(() => id);
    expect(second).toBe(id);
    expect(await scene.runtime.listPodSandboxes({ labels: pod.labels })).toHaveLength(1);
    const next = await scene.runtime.runPodSandbox({ ...pod, metadata: { ...pod.metadata, attempt: 1 } });
    expect((await scene.runtime.podSandboxStatus(next)).metadata.attempt).toBe(1);
    await scene.runtime.removePodSandbox(id);
    expect(await scene.runtime.runPodSandbox(pod)).not.toBe(id);
  });

  it('[runtime-1.8] a sandbox has an address, one on the host network has none of its own', async () => {
    const own = await scene.runtime.podSandboxStatus(await scene.runtime.runPodSandbox(scene.podConfig()));
    const other = await scene.runtime.podSandboxStatus(await scene.runtime.runPodSandbox(scene.podConfig()));
    const host = await scene.runtime.podSandboxStatus(await scene.runtime.runPodSandbox(scene.podConfig({ hostNetwork: true })));
    expect(own.ips[0]).toMatch(/^[0-9a-f.:]+$/);
    if (scene.options.abilities.podAddresses) expect(own.ips[0]).not.toBe(other.ips[0]);
    else expect(own.ips[0]).toBe(other.ips[0]);
    expect(host).toMatchObject({ ips: [], hostNetwork: true });
  });

  it('[runtime-1.9] a stopped sandbox takes no new containers and starts none', async () => {
    const { pod, sandbox, container } = await scene.created(scene.commands.run());
    await scene.runtime.stopPodSandbox(sandbox);
    await expect(scene.runtime.createContainer(sandbox, scene.containerConfig(scene.commands.run(), { metadata: { name: 'late', attempt: 0 } }), pod)).rejects.toThrow();
    await expect(scene.runtime.startContainer(container)).rejects.toThrow();
    expect(await scene.runtime.listContainers({ sandboxId: sandbox, state: 'running' })).toEqual([]);
  });
}
