import type { Logger } from '@edge/core';
import { CriConnection } from './connect.js';
import { CriRuntime } from './cri-runtime.js';
import { socketPath } from './endpoint.js';
import { findEvents } from './events.js';
import { ImageServiceDefinition } from './generated/api.js';
import { meet } from './meet.js';

export interface CriRuntimeOptions {
  /** `unix:///run/containerd/containerd.sock`, or only the path. */
  readonly endpoint: string;
  /** Where images are asked for, when that is another program. */
  readonly imageEndpoint?: string | undefined;
  /** Milliseconds for a call (`runtimeRequestTimeout`); running a sandbox may take twice, stopping a container this and its grace. Default 2 minutes. */
  readonly timeoutMs?: number;
  readonly log?: Logger;
  /** Gives up the first meeting. */
  readonly signal?: AbortSignal;
}

const DEFAULT_TIMEOUT_MS = 120_000;

/**
 * Connects to a container runtime and meets it. The connection is made again by itself whenever it is lost; disposing of
 * it leaves the pods running.
 * @throws CriError `runtime.bad-endpoint`, `runtime.no-cri`, `runtime.wrong-version`, `runtime.unavailable`, `runtime.timeout`
 */
export async function createCriRuntime(options: CriRuntimeOptions): Promise<CriRuntime> {
  const { endpoint, imageEndpoint = '', timeoutMs = DEFAULT_TIMEOUT_MS, log, signal = new AbortController().signal } = options;
  const connection = new CriConnection({ socket: socketPath(endpoint), timeoutMs });
  const images = imageEndpoint === '' || socketPath(imageEndpoint) === connection.socket ? connection : new CriConnection({ socket: socketPath(imageEndpoint), timeoutMs });
  try {
    const version = await meet(connection, { signal });
    if (images !== connection) await images.call(ImageServiceDefinition.fullName, ImageServiceDefinition.methods.imageFsInfo, {}, { signal });
    const events = await findEvents(connection, version, signal);
    log?.info('container runtime met', { runtime: version.name, version: version.version, api: version.apiVersion, socket: connection.socket, events: events ?? 'none' });
    return new CriRuntime({ connection, images, timeoutMs, events });
  } catch (error) {
    connection[Symbol.dispose]();
    images[Symbol.dispose]();
    throw error;
  }
}
