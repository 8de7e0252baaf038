import { createHash } from 'node:crypto';
import { EdgeError } from '@edge/core';
import { createCriRuntime, findRuntime } from '@edge/cri';
import type { DevSettings } from '../commands/dev.js';

/** What the agent's configuration says about the container runtime. */
export interface ContainerRuntimeParts {
  readonly runtime: 'cri';
  readonly endpoint: string;
  readonly cgroupRoot: string;
}

/**
 * Meets the runtime that a new data folder is going to use. An agent ends pods that it was not told of, so a runtime
 * that serves somebody else already is refused.
 * @throws EdgeError `cli.runtime-in-use`, or what is wrong with the runtime
 */
export async function containerRuntime({ endpoint: wanted, data }: DevSettings): Promise<ContainerRuntimeParts> {
  if (process.getuid?.() !== 0) throw new EdgeError('cli.runtime', '--runtime cri needs root: it makes control groups and mounts; use sudo, or --runtime process');
  const { endpoint } = await findRuntime(wanted);
  await using runtime = await createCriRuntime({ endpoint });
  const pods = await runtime.listPodSandboxes();
  if (pods.length > 0) {
    const first = pods.slice(0, 3).map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
    throw new EdgeError(
      'cli.runtime-in-use',
      `the container runtime at ${endpoint} has ${pods.length} pods of somebody else (${first.join(', ')}), which this node would end; name another one with --container-runtime-endpoint`,
    );
  }
  // Beside a kubelet of the same machine, not in its tree.
  return { runtime: 'cri', endpoint, cgroupRoot: `/edge-dev-${createHash('sha256').update(data).digest('hex').slice(0, 8)}` };
}
