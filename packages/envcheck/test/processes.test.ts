import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkEnvironment, listProcesses } from '../src/index.js';
import { listFromProc } from '../src/process-list.js';

const signal = new AbortController().signal;

/** A real process called kubelet: the sleep program under that name. */
let folder: string;
let rival: ReturnType<typeof spawn>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'envcheck-'));
  await copyFile('/bin/sleep', join(folder, 'kubelet'));
  rival = spawn(join(folder, 'kubelet'), ['60'], { stdio: 'ignore' });
  await once(rival, 'spawn');
});
afterAll(async () => {
  const gone = once(rival, 'exit');
  rival.kill('SIGKILL');
  await gone;
  await rm(folder, { recursive: true });
});

describe('the process list', () => {
  it.each([
    ['ps-list', () => listProcesses(signal)],
    ['/proc', () => listFromProc()],
    ['/proc, when ps cannot be run', () => listProcesses(signal, () => Promise.reject(new Error('spawn ps ENOENT')))],
    ['/proc, when ps does not know its options', () => listProcesses(signal, () => Promise.resolve([]))],
  ])('[envcheck-5.1] by %s has a running kubelet in it', async (_, list) => {
    expect(await list()).toContainEqual({ pid: rival.pid, name: 'kubelet' });
  });

  it('[envcheck-5.2] is what the check looks at when nothing else is given', async () => {
    await expect(checkEnvironment({ env: {}, metaServerEnabled: false })).rejects.toMatchObject({ code: 'envcheck.conflicting-process', message: expect.stringContaining(`kubelet (pid ${rival.pid})`) });
  });

  it('[envcheck-5.3] is not made when stopped before', async () => {
    await expect(listProcesses(AbortSignal.abort())).rejects.toMatchObject({ code: 'core.aborted' });
  });
});
