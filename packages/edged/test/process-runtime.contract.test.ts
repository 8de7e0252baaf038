import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@edge/core';
import { runtimeSuite, shellCommands } from '@edge/testing';
import { createProcessRuntime } from '../src/process-runtime/index.js';

let folder = '';

runtimeSuite('the process runtime', {
  commands: shellCommands,
  abilities: { logs: true, execSync: true, events: true, images: 'any', podAddresses: false },
  image: 'example.org/app:1',
  logRoot: () => join(folder, 'logs'),
  open: async () => {
    folder = await mkdtemp(join(tmpdir(), 'process-runtime-'));
    const open = (): ReturnType<typeof createProcessRuntime> => createProcessRuntime({ root: join(folder, 'runtime'), hostIP: '192.0.2.7', log: silentLogger });
    let runtime = await open();
    return {
      runtime,
      reopen: async (between) => {
        await runtime[Symbol.asyncDispose]();
        await between?.();
        return (runtime = await open());
      },
      dispose: async () => {
        for (const { id } of await runtime.listPodSandboxes()) await runtime.removePodSandbox(id);
        await runtime[Symbol.asyncDispose]();
        await rm(folder, { recursive: true, force: true });
      },
    };
  },
});
