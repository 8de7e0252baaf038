import { EdgeError, type ContainerRuntime, type Logger } from '@edge/core';
import type { EdgedConfig } from '../config.js';
import { createProcessRuntime } from '../process-runtime/index.js';

/** What a runtime is opened with. */
export interface OpenRuntimeInput {
  readonly config: EdgedConfig;
  /** Address that pods without one of their own report. */
  readonly hostIP: string;
  readonly log: Logger;
}

export type OpenedRuntime = ContainerRuntime & Partial<AsyncDisposable>;

/**
 * Opens a runtime. Called again after a failure.
 * @throws EdgeError whose message tells people, in the node's Ready condition, what is wrong
 */
export type OpenRuntime = (input: OpenRuntimeInput) => Promise<OpenedRuntime>;

/** Opens what `edge.runtime` names. */
export const openConfiguredRuntime: OpenRuntime = async ({ config, hostIP, log }) => {
  if (config.runtime === 'cri') {
    throw new EdgeError(
      'runtime.unavailable',
      'this version of the agent cannot use a container runtime yet: set edge.runtime to process in edgecore.yaml to run pods as plain processes (edge.runtime is cri)',
    );
  }
  return createProcessRuntime({ root: `${config.rootDirectory}/process-runtime`, hostIP, log });
};
