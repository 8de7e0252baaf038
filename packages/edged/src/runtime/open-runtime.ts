import { existsSync } from 'node:fs';
import type { ContainerRuntime, Logger } from '@edge/core';
import { createCriRuntime, findRuntime, runtimeSockets } from '@edge/cri';
import type { EdgedConfig } from '../config.js';
import type { Reach } from '../reach/reach.js';
import { createProcessRuntime } from '../process-runtime/index.js';

/** What a runtime is opened with. */
export interface OpenRuntimeInput {
  readonly config: EdgedConfig;
  /** Address that pods without one of their own report. */
  readonly hostIP: string;
  readonly log: Logger;
  /** Gives up. */
  readonly signal: AbortSignal;
}

/** A runtime whose addresses are not of this machine's network brings its own way to them, for probes and hooks. */
export type OpenedRuntime = ContainerRuntime & Partial<AsyncDisposable> & { readonly reach?: Reach };

/**
 * Opens a runtime. Called again after a failure.
 * @throws EdgeError whose message tells people, in the node's Ready condition, what is wrong
 */
export type OpenRuntime = (input: OpenRuntimeInput) => Promise<OpenedRuntime>;

/** Opens what `edge.runtime` names. */
export const openConfiguredRuntime: OpenRuntime = async ({ config, hostIP, log, signal }) => {
  const { runtime, endpoints } = config;
  if (runtime === 'process' || (runtime === 'auto' && !socketExists(endpoints.runtime))) {
    return createProcessRuntime({ root: `${config.rootDirectory}/process-runtime`, hostIP, log });
  }
  const { endpoint } = await findRuntime(endpoints.runtime, { signal });
  return createCriRuntime({ endpoint, imageEndpoint: endpoints.image, timeoutMs: config.runtimeRequestTimeoutMs, log, signal });
};

function socketExists(configured: string): boolean {
  const sockets = configured === '' ? runtimeSockets : [configured.replace(/^unix:\/\//, '')];
  return sockets.some((socket) => existsSync(socket));
}
