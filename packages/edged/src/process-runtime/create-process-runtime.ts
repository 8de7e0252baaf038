import { resolve } from 'node:path';
import type { ContainerRuntime, Logger } from '@edge/core';
import { ProcessRuntime } from './process-runtime.js';
import { openProcessTable } from './process-table.js';
import { Repository } from './repository.js';

export interface ProcessRuntimeOptions {
  /** Directory with all state; made when absent. One agent at a time. */
  readonly root: string;
  /** Address that every pod reports. */
  readonly hostIP: string;
  readonly log: Logger;
  /** `PATH` of containers that do not set one. Default: that of the agent. */
  readonly path?: string;
  /** Bytes of output that may wait in a file before the pod is paused to empty it. Default 10 MiB. */
  readonly rawLimit?: number;
  /** Milliseconds between looks at what notices may have missed. Default 5000. */
  readonly pollMs?: number;
}

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Opens the process runtime over a directory and takes over the pods that an earlier instance left running there.
 * Disposing of it stops the watching and leaves the pods running. Rejects when the directory cannot be used.
 */
export async function createProcessRuntime(options: ProcessRuntimeOptions): Promise<ContainerRuntime & AsyncDisposable> {
  const { root, hostIP, log, path = process.env['PATH'] ?? DEFAULT_PATH, rawLimit = 10 * 1024 * 1024, pollMs = 5_000 } = options;
  const table = await openProcessTable();
  return ProcessRuntime.open({ repository: new Repository({ root: resolve(root), table, log }), table, log, hostIP, path, rawLimit, pollMs });
}
