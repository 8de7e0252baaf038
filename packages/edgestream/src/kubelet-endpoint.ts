import type { MessageBus } from '@edge/core';
import { createMessage, isFields, Modules, Operations } from '@edge/protocol';
import { edgeStreamError, EdgeStreamErrors } from './errors.js';

/** Where the node's kubelet API is. */
export interface KubeletEndpoint {
  readonly host: string;
  readonly port: number;
  /** To be shown to it; undefined where it asks for none. */
  readonly token: string | undefined;
}

/** How long edged may take to answer, milliseconds. */
const PATIENCE_MS = 5000;

/**
 * Asks edged. It may listen elsewhere after a restart, so it is asked for each session.
 * @throws EdgeError `edgestream.no-kubelet`, or the bus's when edged does not answer
 */
export async function findKubelet(bus: MessageBus, signal: AbortSignal): Promise<KubeletEndpoint> {
  const question = createMessage({ source: Modules.edgeStream, group: 'edged', operation: Operations.get, resource: 'kubelet/endpoint' });
  const { content, route } = await bus.request({ module: Modules.edged }, question, { timeoutMs: PATIENCE_MS, signal });
  if (route.operation === Operations.error) throw edgeStreamError(EdgeStreamErrors.noKubelet, `the node's kubelet API is not there: ${wordsOf(content)}`);
  const { host, port, token } = isFields(content) ? content : {};
  if (typeof host !== 'string' || typeof port !== 'number') throw edgeStreamError(EdgeStreamErrors.noKubelet, 'edged did not say where its kubelet API is');
  return { host, port, token: typeof token === 'string' ? token : undefined };
}

function wordsOf(content: unknown): string {
  return (typeof content === 'string' ? content : (JSON.stringify(content) ?? '')).slice(0, 200);
}
