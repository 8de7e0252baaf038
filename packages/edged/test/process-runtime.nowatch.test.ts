import { readFile } from 'node:fs/promises';
import { eventually, outputOf } from '@edge/testing';
import { describe, expect, it, vi } from 'vitest';
import { containerConfig, podConfig } from './process-runtime/configs.js';
import { Workshop } from './process-runtime/workshop.js';

// The only way to have the kernel refuse watches here would be to use up those of everybody on the machine.
vi.mock('node:fs', async (original) => ({
  ...(await original<object>()),
  watch: () => {
    throw Object.assign(new Error('no space left for watches'), { code: 'ENOSPC' });
  },
}));

describe('the process runtime without notices of the file system', () => {
  it('[edged-process-21] finds starts, output and ends by looking from time to time, also those of adopted pods', async () => {
    await using shop = await Workshop.create();
    const pod = podConfig('pod', shop.logRoot);
    const first = await shop.open({ pollMs: 50 });
    const sandbox = await first.runPodSandbox(pod);
    const container = containerConfig('main', ['/bin/sh', '-c', 'echo one; while [ ! -e go ]; do sleep 0.05; done; echo two; exit 9']);
    const id = await first.createContainer(sandbox, container, pod);
    await first.startContainer(id);
    const { logPath } = await first.containerStatus(id);
    await eventually(async () => (outputOf(await readFile(logPath, 'utf8'), 'stdout') === 'one\n' ? true : undefined), 'the first line is logged');
    await first[Symbol.asyncDispose]();
    const second = await shop.open({ pollMs: 50 });
    await second.execSync(id, ['touch', 'go'], 10);
    const status = await eventually(async () => {
      const now = await second.containerStatus(id);
      return now.state === 'exited' ? now : undefined;
    }, 'the container exits');
    expect(status.exitCode).toBe(9);
    expect(outputOf(await readFile(logPath, 'utf8'), 'stdout')).toBe('one\ntwo\n');
  });
});
