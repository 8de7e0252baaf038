import { type MessageBus } from '@edge/core';
import { createMessage, hostPort, isFields, Modules, Operations } from '@edge/protocol';
import { testManagerError } from './errors.js';

const PATIENCE_MS = 10_000;

/**
 * The node's pods as its kubelet API lists them, JSON.
 * @throws EdgeError `testmanager.no-kubelet`, or the bus's when edged does not answer
 */
export async function podList(bus: MessageBus, signal: AbortSignal): Promise<string> {
  const question = createMessage({ source: Modules.testManager, group: 'edged', operation: Operations.get, resource: 'kubelet/endpoint' });
  const { content, route } = await bus.request({ module: Modules.edged }, question, { timeoutMs: PATIENCE_MS, signal });
  const { host, port, token } = isFields(content) ? content : {};
  if (route.operation === Operations.error || typeof host !== 'string' || typeof port !== 'number') {
    throw testManagerError('testmanager.no-kubelet', `the node's kubelet API is not there: ${String(content)}`);
  }
  const response = await fetch(`http://${hostPort(host, port)}/pods`, { headers: typeof token === 'string' ? { Authorization: `Bearer ${token}` } : {}, signal });
  if (!response.ok) throw testManagerError('testmanager.no-kubelet', `the node's kubelet API answered ${response.status}`);
  return response.text();
}
