import { errorCode } from '@edge/core';
import { expect, it } from 'vitest';
import type { RuntimeScene } from '../suite-kit.js';

/** Chapter 2: containers from creation to removal. */
export function containerChapter(scene: RuntimeScene): void {
  it('[runtime-2.1] a created container has not run and keeps what it was given', async () => {
    const pod = scene.podConfig();
    const sandbox = await scene.runtime.runPodSandbox(pod);
    const mount = { containerPath: '/data', hostPath: scene.options.logRoot(), readOnly: true };
    const config = scene.containerConfig(scene.commands.run(), { mounts: [mount] });
    const id = await scene.runtime.createContainer(sandbox, config, pod);
    const status = await scene.runtime.containerStatus(id);
    expect(status).toMatchObject({
      id,
      metadata: config.metadata,
      labels: config.labels,
      annotations: config.annotations,
      state: 'created',
      startedAt: 0,
      finishedAt: 0,
      logPath: `${pod.logDirectory}/${config.logPath}`,
      mounts: [{ containerPath: '/data', hostPath: mount.hostPath }],
    });
    expect(status.imageRef).not.toBe('');
    expect((await scene.runtime.listContainers({ id }))[0]?.sandboxId).toBe(sandbox);
  });

  it('[runtime-2.2] a started container runs', async () => {
    const before = Date.now();
    const { container } = await scene.started(scene.commands.run());
    const status = await scene.runtime.containerStatus(container);
    expect(status).toMatchObject({ state: 'running', finishedAt: 0, exitCode: 0, reason: '' });
    expect(status.startedAt).toBeGreaterThanOrEqual(before - 1000);
    expect(status.startedAt).toBeGreaterThanOrEqual(status.createdAt - 1);
  });

  it.each([0, 1, 3, 255])('[runtime-2.3] tells the exit code %i', async (code) => {
    const { container } = await scene.started(scene.commands.exit(code));
    const status = await scene.exited(container);
    expect(status).toMatchObject({ exitCode: code, reason: code === 0 ? 'Completed' : 'Error' });
    expect(status.startedAt).toBeGreaterThan(0);
    // containerd notes the start after the process runs: a very short life ends before it began.
    expect(status.finishedAt).toBeGreaterThan(status.startedAt - 1000);
  });

  it('[runtime-2.5] an exited container cannot be started anew', async () => {
    const { container } = await scene.started(scene.commands.exit(4));
    await scene.exited(container);
    await expect(scene.runtime.startContainer(container)).rejects.toThrow();
    expect(await scene.runtime.containerStatus(container)).toMatchObject({ state: 'exited', exitCode: 4 });
  });

  it('[runtime-2.6] lists containers by id, sandbox, state and labels', async () => {
    const running = await scene.started(scene.commands.run(), { labels: { suite: 'list', which: 'run' } });
    const created = await scene.created(scene.commands.run(), { labels: { suite: 'list', which: 'new' } });
    const ended = await scene.started(scene.commands.exit(0), { labels: { suite: 'list', which: 'end' } });
    await scene.exited(ended.container);
    const ids = async (filter: Parameters<typeof scene.runtime.listContainers>[0]): Promise<string[]> =>
      (await scene.runtime.listContainers(filter)).map((container) => container.id).sort();
    const suite = { suite: 'list' };
    expect(await ids({ labels: suite })).toEqual([running.container, created.container, ended.container].sort());
    expect(await ids({ labels: suite, state: 'running' })).toEqual([running.container]);
    expect(await ids({ labels: suite, state: 'created' })).toEqual([created.container]);
    expect(await ids({ labels: suite, state: 'exited' })).toEqual([ended.container]);
    expect(await ids({ labels: { ...suite, which: 'new' } })).toEqual([created.container]);
    expect(await ids({ sandboxId: ended.sandbox })).toEqual([ended.container]);
    expect(await ids({ id: running.container })).toEqual([running.container]);
    expect(await ids({ id: running.container, state: 'exited' })).toEqual([]);
  });

  it('[runtime-2.7] there is one container per name and attempt, and the next attempt stands beside it', async () => {
    const { pod, sandbox, container } = await scene.started(scene.commands.exit(1));
    await scene.exited(container);
    const again = (attempt: number): Promise<string> => scene.runtime.createContainer(sandbox, scene.containerConfig(scene.commands.run(), { metadata: { name: 'main', attempt } }), pod);
    await expect(again(0)).rejects.toThrow();
    const next = await again(1);
    expect((await scene.runtime.listContainers({ sandboxId: sandbox })).map(({ id }) => id).sort()).toEqual([container, next].sort());
    await scene.runtime.removeContainer(container);
    expect(await again(0)).not.toBe(container);
  });

  it('[runtime-2.8] a command that cannot be started leaves an exited container with StartError, or one that ended with 126 or 127', async () => {
    const { container } = await scene.created(scene.commands.missing());
    const error: unknown = await scene.runtime.startContainer(container).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    const status = await scene.exited(container);
    if (error === undefined) expect([126, 127]).toContain(status.exitCode);
    else expect(status).toMatchObject({ exitCode: 128, reason: 'StartError' });
    expect(status.message + String(error)).not.toBe('');
  });

  it('[runtime-2.9] removes a running container, and removing it again succeeds', async () => {
    const { sandbox, container } = await scene.ready(scene.commands.stubborn());
    await scene.runtime.removeContainer(container);
    await scene.runtime.removeContainer(container);
    expect(await scene.runtime.listContainers({ sandboxId: sandbox })).toEqual([]);
    await expect(scene.runtime.containerStatus(container)).rejects.toSatisfy((error) => errorCode(error) === 'runtime.not-found');
  });

  it('[runtime-2.10] removes a container that never ran', async () => {
    const { sandbox, container } = await scene.created(scene.commands.run());
    await scene.runtime.removeContainer(container);
    expect(await scene.runtime.listContainers({ sandboxId: sandbox })).toEqual([]);
  });

  it('[runtime-2.11] several containers of a pod live and end apart', async () => {
    const { pod, sandbox, container } = await scene.started(scene.commands.run());
    const side = await scene.runtime.createContainer(sandbox, scene.containerConfig(scene.commands.exit(5), { metadata: { name: 'side', attempt: 0 } }), pod);
    await scene.runtime.startContainer(side);
    expect((await scene.exited(side)).exitCode).toBe(5);
    expect((await scene.runtime.containerStatus(container)).state).toBe('running');
  });

  const { dieBySignal } = scene.commands;
  if (!dieBySignal) return;
  it('[runtime-2.4] a process ended by a signal has exit code 128 plus its number', async () => {
    for (const signal of [9, 11, 15]) {
      const { container } = await scene.started(dieBySignal(signal));
      expect(await scene.exited(container)).toMatchObject({ exitCode: 128 + signal, reason: 'Error' });
    }
  });
}
