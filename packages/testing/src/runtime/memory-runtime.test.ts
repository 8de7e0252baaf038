import { tmpdir } from 'node:os';
import { EdgeError, errorCode } from '@edge/core';
import { describe, expect, it } from 'vitest';
import { memoryCommands } from './commands.js';
import { createMemoryRuntime } from './memory-runtime.js';
import { RuntimeScene } from './suite-kit.js';
import { runtimeSuite } from './suite.js';

runtimeSuite('the memory runtime', {
  commands: memoryCommands,
  abilities: { logs: false, execSync: true, events: true, images: 'real', podAddresses: true },
  image: 'example.org/app:1',
  logRoot: () => tmpdir(),
  open: async () => {
    let runtime = createMemoryRuntime({ images: ['example.org/app:1'] });
    return {
      runtime,
      reopen: async (between) => {
        await between?.();
        return (runtime = runtime.reopen());
      },
      dispose: async () => runtime.close(),
    };
  },
});

describe('the memory runtime', () => {
  const scene = new RuntimeScene({
    open: () => Promise.reject(new Error('not used')),
    commands: memoryCommands,
    abilities: { logs: false, execSync: true, events: true, images: 'any', podAddresses: true },
    image: 'any',
    logRoot: () => tmpdir(),
  });

  it('[runtime-memory-1] fails the next call as the script says, once', async () => {
    const runtime = createMemoryRuntime();
    runtime.failNext('runPodSandbox', new EdgeError('runtime.no-network', 'no address left'));
    await expect(runtime.runPodSandbox(scene.podConfig())).rejects.toSatisfy((error) => errorCode(error) === 'runtime.no-network');
    await runtime.runPodSandbox(scene.podConfig());
    expect(runtime.calls.get('runPodSandbox')).toBe(2);
    expect(await runtime.listPodSandboxes()).toHaveLength(1);
  });

  it('[runtime-memory-2] ends a container as the script says', async () => {
    const runtime = createMemoryRuntime();
    const pod = scene.podConfig();
    const sandbox = await runtime.runPodSandbox(pod);
    const id = await runtime.createContainer(sandbox, scene.containerConfig(['run']), pod);
    await runtime.startContainer(id);
    runtime.exit(id, 137, 'OOMKilled', 'too big');
    expect(await runtime.containerStatus(id)).toMatchObject({ state: 'exited', exitCode: 137, reason: 'OOMKilled', message: 'too big' });
  });

  it('[runtime-memory-3] calls take the time that the script says, and can be aborted meanwhile', async () => {
    const runtime = createMemoryRuntime({ latencyMs: (call) => (call === 'version' ? 60_000 : 0) });
    const abort = new AbortController();
    const call = runtime.version(abort.signal);
    abort.abort();
    await expect(call).rejects.toSatisfy((error) => errorCode(error) === 'core.aborted');
  });

  it('[runtime-memory-4] an image that is not present must be pulled before a container is created', async () => {
    const runtime = createMemoryRuntime({ images: [] });
    const pod = scene.podConfig();
    const sandbox = await runtime.runPodSandbox(pod);
    await expect(runtime.createContainer(sandbox, scene.containerConfig(['run']), pod)).rejects.toSatisfy((error) => errorCode(error) === 'runtime.image-not-found');
    const image = await runtime.pullImage('any');
    expect((await runtime.imageStatus('any'))?.id).toBe(image);
    await runtime.createContainer(sandbox, scene.containerConfig(['run'], { image }), pod);
  });

  it('[runtime-memory-5] holds thousands of pods', async () => {
    const runtime = createMemoryRuntime();
    for (let n = 0; n < 3_000; n += 1) {
      const pod = scene.podConfig();
      const sandbox = await runtime.runPodSandbox(pod);
      await runtime.startContainer(await runtime.createContainer(sandbox, scene.containerConfig(['run']), pod));
    }
    const sandboxes = await runtime.listPodSandboxes({ state: 'ready' });
    expect(sandboxes).toHaveLength(3_000);
    expect(new Set((await Promise.all(sandboxes.map(({ id }) => runtime.podSandboxStatus(id)))).map((status) => status.ips[0])).size).toBe(3_000);
    expect(await runtime.listContainers({ state: 'running' })).toHaveLength(3_000);
    await Promise.all(sandboxes.map(({ id }) => runtime.removePodSandbox(id)));
    expect(await runtime.listContainers()).toEqual([]);
  });
});
