import { readFile } from 'node:fs/promises';
import { sleep } from '@edge/core';
import { expect, it } from 'vitest';
import type { RuntimeScene } from '../suite-kit.js';
import { outputOf } from '../suite-kit.js';

/** Chapter 6: a new instance over the same pods. */
export function reopeningChapter(scene: RuntimeScene): void {
  it('[runtime-6.1] a new instance tells the same about sandboxes and containers', async () => {
    const { sandbox, container } = await scene.started(scene.commands.run());
    const before = [await scene.runtime.podSandboxStatus(sandbox), await scene.runtime.containerStatus(container), await scene.runtime.listContainers({ sandboxId: sandbox })];
    await scene.reopen();
    expect([await scene.runtime.podSandboxStatus(sandbox), await scene.runtime.containerStatus(container), await scene.runtime.listContainers({ sandboxId: sandbox })]).toEqual(before);
  });

  it('[runtime-6.2] what an older instance started can be stopped and removed', async () => {
    const { sandbox, container } = await scene.ready(scene.commands.polite(9));
    await scene.reopen();
    await scene.runtime.stopContainer(container, 20);
    expect(await scene.runtime.containerStatus(container)).toMatchObject({ state: 'exited', exitCode: 9 });
    await scene.runtime.removePodSandbox(sandbox);
    expect(await scene.runtime.listContainers({ sandboxId: sandbox })).toEqual([]);
  });

  it('[runtime-6.3] learns the exit code of what ends later', async () => {
    const { container } = await scene.started(scene.commands.exit(21, 3_000));
    await scene.reopen();
    expect((await scene.runtime.containerStatus(container)).state).toBe('running');
    expect(await scene.exited(container)).toMatchObject({ exitCode: 21, reason: 'Error' });
  });

  it('[runtime-6.4] learns exit code and time of what ended while no instance was there', async () => {
    const { container } = await scene.started(scene.commands.exit(22, 200));
    let returned = 0;
    await scene.reopen(async () => {
      await sleep(3_000, new AbortController().signal);
      returned = Date.now();
    });
    const status = await scene.exited(container);
    expect(status).toMatchObject({ exitCode: 22, reason: 'Error' });
    expect(status.finishedAt).toBeLessThan(returned);
  });

  it('[runtime-6.5] a created container can be started by a later instance', async () => {
    const { container } = await scene.created(scene.commands.exit(23));
    await scene.reopen();
    expect((await scene.runtime.containerStatus(container)).state).toBe('created');
    await scene.runtime.startContainer(container);
    expect((await scene.exited(container)).exitCode).toBe(23);
  });

  it('[runtime-6.6] a container that is stopped stays so', async () => {
    const { container } = await scene.started(scene.commands.exit(24));
    const before = await scene.exited(container);
    await scene.reopen();
    expect(await scene.runtime.containerStatus(container)).toEqual(before);
  });

  const { count } = scene.commands;
  if (!scene.options.abilities.logs || !count) return;
  it('[runtime-6.7] the log goes on over several instances, each line once', async () => {
    const { container } = await scene.started(count(100, 15));
    for (const pause of [0, 300, 50]) {
      await sleep(200, new AbortController().signal);
      await scene.reopen(() => sleep(pause, new AbortController().signal));
    }
    const { logPath } = await scene.exited(container);
    expect(outputOf(await readFile(logPath, 'latin1'), 'stdout')).toBe(Array.from({ length: 100 }, (_, n) => `line ${n + 1}\n`).join(''));
  });
}
