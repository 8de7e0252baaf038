import { sleep } from '@edge/core';
import type { Minicloud } from '@edge/minicloud';
import type { KubeNode } from '@edge/protocol';

/** Resolves when the cloud has heard from the node since `since` that it is Ready. Rejects when aborted. */
export async function nodeReady(cloud: Minicloud, name: string, since: number, signal: AbortSignal): Promise<void> {
  const nodes = cloud.api.resource<KubeNode>('v1', 'nodes');
  while (!isReady(nodes.find(name), since)) await sleep(50, signal);
}

function isReady(node: KubeNode | undefined, since: number): boolean {
  const ready = node?.status?.conditions?.find(({ type }) => type === 'Ready');
  // Heartbeats have whole seconds.
  return ready?.status === 'True' && Date.parse(ready.lastHeartbeatTime ?? '') >= Math.floor(since / 1000) * 1000;
}
