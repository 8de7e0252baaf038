import type { ContainerRuntime, Logger } from '@edge/core';
import { createProcessRuntime } from './process-runtime/index.js';
import type { EdgedConfig } from './config.js';

/** What a runtime is opened with. */
export interface OpenRuntimeInput {
  readonly config: EdgedConfig;
  /** Address that pods without one of their own report. */
  readonly hostIP: string;
  readonly log: Logger;
}

/** A runtime, or in words for the node's Ready condition why there is none. */
export type RuntimeAccess = { readonly runtime: ContainerRuntime & Partial<AsyncDisposable>; readonly missing?: undefined } | { readonly missing: string };

export type OpenRuntime = (input: OpenRuntimeInput) => Promise<RuntimeAccess>;

/** Opens what `edge.runtime` names. */
export const openConfiguredRuntime: OpenRuntime = async ({ config, hostIP, log }) => {
  if (config.runtime === 'cri') {
    return {
      missing:
        'this version of the agent cannot use a container runtime yet: set edge.runtime to process in edgecore.yaml to run pods as plain processes (edge.runtime is cri)',
    };
  }
  return { runtime: await createProcessRuntime({ root: `${config.rootDirectory}/process-runtime`, hostIP, log }) };
};
