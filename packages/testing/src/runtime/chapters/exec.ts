import { errorCode, isAbort } from '@edge/core';
import { expect, it } from 'vitest';
import type { RuntimeScene } from '../suite-kit.js';

/** Chapter 5: running commands in a container. */
export function execChapter(scene: RuntimeScene): void {
  it.each([0, 1, 42])('[runtime-5.1] gives both outputs and the exit code %i', async (code) => {
    const { container } = await scene.started(scene.commands.run());
    const result = await scene.runtime.execSync(container, scene.commands.print('out\n', 'err', code), 20);
    expect(Buffer.from(result.stdout).toString()).toBe('out\n');
    expect(Buffer.from(result.stderr).toString()).toBe('err');
    expect(result.exitCode).toBe(code);
  });

  it('[runtime-5.2] rejects after the time, and the container runs on', async () => {
    const { container } = await scene.started(scene.commands.run());
    await expect(scene.runtime.execSync(container, scene.commands.sleep(60_000), 1)).rejects.toThrow();
    expect((await scene.runtime.containerStatus(container)).state).toBe('running');
  });

  it('[runtime-5.3] rejects when the container does not run or does not exist', async () => {
    const { container } = await scene.started(scene.commands.exit(0));
    await scene.exited(container);
    await expect(scene.runtime.execSync(container, scene.commands.print('', '', 0), 5)).rejects.toThrow();
    await expect(scene.runtime.execSync('absent', scene.commands.print('', '', 0), 5)).rejects.toSatisfy((error) => errorCode(error) === 'runtime.not-found');
  });

  it('[runtime-5.4] an aborted exec rejects at once', async () => {
    const { container } = await scene.started(scene.commands.run());
    const abort = new AbortController();
    const run = scene.runtime.execSync(container, scene.commands.sleep(60_000), 0, abort.signal);
    setTimeout(() => abort.abort(), 50);
    await expect(run).rejects.toSatisfy(isAbort);
  });

  it('[runtime-5.5] several commands run side by side', async () => {
    const { container } = await scene.started(scene.commands.run());
    const results = await Promise.all(Array.from({ length: 8 }, (_, n) => scene.runtime.execSync(container, scene.commands.print(`${n}`, '', n), 20)));
    expect(results.map((result) => [Buffer.from(result.stdout).toString(), result.exitCode])).toEqual(Array.from({ length: 8 }, (_, n) => [`${n}`, n]));
  });

  const { printVariable } = scene.commands;
  if (!printVariable) return;
  it('[runtime-5.6] a command sees the variables of its container', async () => {
    const { container } = await scene.started(scene.commands.run(), { env: [{ name: 'SUITE_VALUE', value: 'given' }] });
    const result = await scene.runtime.execSync(container, printVariable('SUITE_VALUE'), 20);
    expect(Buffer.from(result.stdout).toString()).toBe('given');
  });
}
