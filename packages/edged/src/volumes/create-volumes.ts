import { access } from 'node:fs/promises';
import type { ContainerRuntime, Logger } from '@edge/core';
import type { MetaClient } from '../apply/meta-client.js';
import type { ObjectReader } from '../apply/object-reader.js';
import { ClaimReader } from './claims.js';
import { CsiVolumes } from './csi/csi-volumes.js';
import type { CsiDrivers } from './csi/drivers.js';
import { openMounter } from './mounter.js';
import { TokenReader } from './token-reader.js';
import { Volumes } from './volumes.js';

export interface CreateVolumesInput {
  readonly root: string;
  readonly runtime: ContainerRuntime;
  readonly meta: MetaClient;
  readonly objects: ObjectReader;
  readonly drivers: CsiDrivers;
  readonly nodeName: string;
  readonly log: Logger;
}

/** Volumes as this machine and this runtime allow them: real mounts need root and a runtime that isolates containers. */
export async function createVolumes({ root, runtime, meta, objects, drivers, nodeName, log }: CreateVolumesInput): Promise<Volumes> {
  const isolates = runtime.cgroupDriver !== undefined;
  return new Volumes({
    root,
    objects,
    tokens: new TokenReader({ meta }),
    claims: new ClaimReader({ meta }),
    csi: new CsiVolumes({ drivers, meta, objects, nodeName }),
    mounter: isolates ? await openMounter() : undefined,
    recursiveReadOnly: async (handler, signal) => {
      const { handlers = [] } = await runtime.status(signal);
      return handlers.some(({ name, recursiveReadOnlyMounts }) => name === handler && recursiveReadOnlyMounts);
    },
    labels: await access('/sys/fs/selinux/enforce').then(
      () => true,
      () => false,
    ),
    log,
  });
}
