import type { ContainerRuntime } from '@edge/core';
import { PodLabels } from '../plan/identity.js';
import { json } from './answer.js';
import { needRuntime, type PodHost } from './pod-host.js';
import type { Handler } from './router.js';

/** `/pods`: the pods of this node with their statuses. Empty as long as they are not known. */
export function pods(host: PodHost): Handler {
  return () => json(podList((host.pods()?.list() ?? []).filter(({ removed }) => !removed).map(({ pod, status }) => ({ ...pod, status }))));
}

/** `/runningpods/`: what works in the runtime, whoever wanted it. */
export function runningPods(host: PodHost): Handler {
  return async ({ signal }) => json(podList(await runningInRuntime(needRuntime(host), signal)));
}

async function runningInRuntime(runtime: ContainerRuntime, signal: AbortSignal): Promise<object[]> {
  const found = new Map<string, { metadata: object; spec: { containers: object[] }; status: object }>();
  for (const { labels, image } of await runtime.listContainers({ state: 'running' }, signal)) {
    const uid = labels[PodLabels.uid];
    if (uid === undefined) continue;
    const metadata = { name: labels[PodLabels.name], namespace: labels[PodLabels.namespace], uid, creationTimestamp: null };
    const pod = found.get(uid) ?? { metadata, spec: { containers: [] }, status: {} };
    pod.spec.containers.push({ name: labels[PodLabels.container], image, resources: {} });
    found.set(uid, pod);
  }
  return [...found.values()];
}

function podList(items: readonly object[]): object {
  return { kind: 'PodList', apiVersion: 'v1', metadata: {}, items };
}
