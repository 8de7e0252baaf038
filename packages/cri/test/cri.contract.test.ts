import { join } from 'node:path';
import { BUSYBOX_IMAGE, runtimeSuite, shellCommands, startContainerd, type Containerd } from '@edge/testing';
import { createCriRuntime } from '../src/index.js';

let containerd: Containerd;

// The first process of a PID namespace takes no signal from inside that it does not handle, so a shell cannot end itself by one.
const { dieBySignal: _, ...commands } = shellCommands;

runtimeSuite('containerd over CRI', {
  commands,
  abilities: { logs: true, execSync: true, events: 'ends', images: 'real', podAddresses: true },
  image: BUSYBOX_IMAGE,
  logRoot: () => join(containerd.folder, 'pods'),
  open: async () => {
    containerd = await startContainerd();
    let runtime = await createCriRuntime({ endpoint: containerd.socket });
    return {
      runtime,
      reopen: async (between) => {
        await runtime[Symbol.asyncDispose]();
        await between?.();
        return (runtime = await createCriRuntime({ endpoint: containerd.socket }));
      },
      dispose: async () => {
        await runtime[Symbol.asyncDispose]();
        await containerd[Symbol.asyncDispose]();
      },
    };
  },
});
