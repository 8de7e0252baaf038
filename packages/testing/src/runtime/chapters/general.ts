import type { RuntimeEvent } from '@edge/core';
import { errorCode, isAbort } from '@edge/core';
import { expect, it } from 'vitest';
import type { RuntimeScene } from '../suite-kit.js';
import { eventually } from '../suite-kit.js';

/** Chapter 7: errors, cancellation, many at once, images, events. */
export function generalChapter(scene: RuntimeScene): void {
  it('[runtime-7.1] says runtime.not-found about what must exist and does not', async () => {
    const pod = scene.podConfig();
    const calls = [
      scene.runtime.podSandboxStatus('absent'),
      scene.runtime.createContainer('absent', scene.containerConfig(scene.commands.run()), pod),
      scene.runtime.startContainer('absent'),
      scene.runtime.containerStatus('absent'),
      scene.runtime.reopenContainerLog('absent'),
    ];
    await Promise.all(calls.map((call) => expect(call).rejects.toSatisfy((error) => errorCode(error) === 'runtime.not-found')));
  });

  it('[runtime-7.2] stopping and removing what does not exist succeeds', async () => {
    await scene.runtime.stopContainer('absent', 1);
    await scene.runtime.removeContainer('absent');
    await scene.runtime.stopPodSandbox('absent');
    await scene.runtime.removePodSandbox('absent');
  });

  it('[runtime-7.3] a call with an aborted signal rejects and does nothing', async () => {
    const signal = AbortSignal.abort();
    const { sandbox, container } = await scene.created(scene.commands.run());
    const pod = scene.podConfig({ labels: { suite: 'aborted' } });
    await expect(scene.runtime.runPodSandbox(pod, signal)).rejects.toSatisfy(isAbort);
    await expect(scene.runtime.startContainer(container, signal)).rejects.toSatisfy(isAbort);
    await expect(scene.runtime.removePodSandbox(sandbox, signal)).rejects.toSatisfy(isAbort);
    await expect(scene.runtime.listContainers({}, signal)).rejects.toSatisfy(isAbort);
    expect(await scene.runtime.listPodSandboxes({ labels: { suite: 'aborted' } })).toEqual([]);
    expect((await scene.runtime.containerStatus(container)).state).toBe('created');
  });

  it('[runtime-7.4] many pods start, end and go at the same time', async () => {
    const pods = await Promise.all(Array.from({ length: 12 }, (_, n) => scene.started(scene.commands.exit(n, 100), { labels: { suite: 'many' } })));
    const ends = await Promise.all(pods.map((pod) => scene.exited(pod.container)));
    expect(ends.map((status) => status.exitCode)).toEqual(pods.map((_, n) => n));
    await Promise.all(pods.map((pod) => scene.runtime.removePodSandbox(pod.sandbox)));
    expect(await scene.runtime.listContainers({ labels: { suite: 'many' } })).toEqual([]);
  });

  it('[runtime-7.5] the same call many times at once has the effect of one', async () => {
    const { sandbox, container } = await scene.created(scene.commands.run());
    await Promise.allSettled(Array.from({ length: 5 }, () => scene.runtime.startContainer(container)));
    expect((await scene.runtime.containerStatus(container)).state).toBe('running');
    await Promise.all(Array.from({ length: 5 }, () => scene.runtime.stopContainer(container, 0)));
    expect((await scene.runtime.containerStatus(container)).exitCode).toBe(137);
    await Promise.all(Array.from({ length: 5 }, () => scene.runtime.removePodSandbox(sandbox)));
    expect(await scene.runtime.listPodSandboxes({ id: sandbox })).toEqual([]);
  });

  it('[runtime-7.6] has a name and a version, and is ready', async () => {
    expect(await scene.runtime.version()).toMatchObject({ name: expect.stringMatching(/^[a-z-]+$/) as string, version: expect.stringMatching(/\d/) as string });
    const { conditions } = await scene.runtime.status();
    expect(Object.fromEntries(conditions.map(({ type, status }) => [type, status]))).toMatchObject({ RuntimeReady: true, NetworkReady: true });
  });

  it('[runtime-7.7] an image that is present has an id that does not change', async () => {
    const { image } = scene.options;
    const found = await scene.runtime.imageStatus(image);
    expect(found?.id).toBeTruthy();
    expect((await scene.runtime.imageStatus(image))?.id).toBe(found?.id);
    if (found) expect((await scene.runtime.imageStatus(found.id))?.id).toBe(found.id);
    const absent = await scene.runtime.imageStatus('localhost/suite/never-pulled:0');
    if (scene.options.abilities.images === 'real') expect(absent).toBeUndefined();
    await scene.runtime.removeImage('localhost/suite/never-pulled:0');
  });

  const { events } = scene.options.abilities;
  if (!events) return;
  it('[runtime-7.8] tells of the life of a container, and stops telling when aborted', async () => {
    const abort = new AbortController();
    const seen: RuntimeEvent[] = [];
    const source = scene.runtime.events?.(abort.signal);
    const reading = (async () => {
      for await (const event of source ?? []) seen.push(event);
    })();
    const { sandbox, container } = await scene.started(scene.commands.exit(0));
    await scene.exited(container);
    const told = (type: RuntimeEvent['type'], id: string): Promise<RuntimeEvent> =>
      eventually(async () => seen.find((event) => event.type === type && event.containerId === id), `${type} of ${id}`);
    await told('stopped', container);
    await scene.runtime.stopPodSandbox(sandbox);
    await told('stopped', sandbox);
    await scene.runtime.removePodSandbox(sandbox);
    if (events === true) await told('deleted', sandbox);
    abort.abort();
    await reading;
    const of = (id: string): string[] => seen.filter((event) => event.containerId === id).map((event) => event.type);
    const life = events === 'ends' ? ['stopped'] : ['created', 'started', 'stopped', 'deleted'];
    expect(of(container)).toEqual(life);
    expect(of(sandbox)).toEqual(life);
    expect(seen.every((event) => event.sandboxId === sandbox)).toBe(true);
  });
}
