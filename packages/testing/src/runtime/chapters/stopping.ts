import { isAbort } from '@edge/core';
import { expect, it } from 'vitest';
import type { RuntimeScene } from '../suite-kit.js';

/** Chapter 3: stopping. */
export function stoppingChapter(scene: RuntimeScene): void {
  it('[runtime-3.1] asks with SIGTERM, and the process decides how it ends', async () => {
    const { container } = await scene.ready(scene.commands.polite(7));
    await scene.runtime.stopContainer(container, 20);
    expect(await scene.runtime.containerStatus(container)).toMatchObject({ state: 'exited', exitCode: 7, reason: 'Error' });
  });

  it('[runtime-3.2] a process that ends with 0 on SIGTERM has completed', async () => {
    const { container } = await scene.ready(scene.commands.polite(0));
    await scene.runtime.stopContainer(container, 20);
    expect(await scene.runtime.containerStatus(container)).toMatchObject({ state: 'exited', exitCode: 0, reason: 'Completed' });
  });

  it('[runtime-3.3] ends by force what has not ended after the grace period', async () => {
    const { container } = await scene.ready(scene.commands.stubborn());
    const before = Date.now();
    await scene.runtime.stopContainer(container, 1);
    expect(Date.now() - before).toBeGreaterThanOrEqual(900);
    expect(await scene.runtime.containerStatus(container)).toMatchObject({ state: 'exited', exitCode: 137, reason: 'Error' });
  });

  it('[runtime-3.4] without grace there is only force', async () => {
    const { container } = await scene.ready(scene.commands.polite(7));
    await scene.runtime.stopContainer(container, 0);
    expect(await scene.runtime.containerStatus(container)).toMatchObject({ state: 'exited', exitCode: 137 });
  });

  it('[runtime-3.5] stopping what has ended, never ran or is gone succeeds and changes nothing', async () => {
    const ended = await scene.started(scene.commands.exit(6));
    const status = await scene.exited(ended.container);
    await scene.runtime.stopContainer(ended.container, 5);
    expect(await scene.runtime.containerStatus(ended.container)).toEqual(status);
    const created = await scene.created(scene.commands.run());
    await scene.runtime.stopContainer(created.container, 5);
    expect((await scene.runtime.containerStatus(created.container)).startedAt).toBe(0);
    await scene.runtime.removeContainer(created.container);
    await scene.runtime.stopContainer(created.container, 5);
  });

  it('[runtime-3.6] a second stop with less grace shortens the first', async () => {
    const { container } = await scene.ready(scene.commands.stubborn());
    const patient = scene.runtime.stopContainer(container, 600);
    await scene.runtime.stopContainer(container, 1);
    await patient;
    expect(await scene.runtime.containerStatus(container)).toMatchObject({ state: 'exited', exitCode: 137 });
  });

  it('[runtime-3.7] an aborted stop gives up the wait, and the container can be stopped later', async () => {
    const { container } = await scene.ready(scene.commands.stubborn());
    const abort = new AbortController();
    const stop = scene.runtime.stopContainer(container, 600, abort.signal);
    setTimeout(() => abort.abort(), 50);
    await expect(stop).rejects.toSatisfy(isAbort);
    expect((await scene.runtime.containerStatus(container)).state).toBe('running');
    await scene.runtime.stopContainer(container, 0);
    expect((await scene.runtime.containerStatus(container)).state).toBe('exited');
  });
}
