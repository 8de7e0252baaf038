import type { ContainerRuntime } from '@edge/core';
import type { Container } from '@edge/protocol';
import { runsOf } from '../plan/actual.js';
import type { PodRecord, PodsView } from '../pods/pods-view.js';
import { ApiFault } from './answer.js';
import type { ApiRequest } from './router.js';

/** What answers about pods come from. Both are undefined until the container runtime has been reached. */
export interface PodHost {
  pods(): PodsView | undefined;
  runtime(): ContainerRuntime | undefined;
}

export function needPods(host: PodHost): PodsView {
  const pods = host.pods();
  if (!pods) throw new ApiFault(503, 'pods are not known yet: the container runtime has not been reached');
  return pods;
}

export function needRuntime(host: PodHost): ContainerRuntime {
  const runtime = host.runtime();
  if (!runtime) throw new ApiFault(503, 'the container runtime has not been reached yet');
  return runtime;
}

/**
 * The pod that a path names, by `ns`, `pod` and, where it is given, `uid`.
 * @throws ApiFault 404
 */
export function podOf(host: PodHost, { params }: Pick<ApiRequest, 'params'>): PodRecord {
  const { ns = '', pod: name = '', uid } = params;
  const record = needPods(host).find(ns, name);
  if (!record) throw new ApiFault(404, `pod "${name}" does not exist`);
  if (uid !== undefined && record.pod.metadata.uid !== uid) throw new ApiFault(404, `pod "${name}" is not the one with uid ${uid}`);
  return record;
}

/** The container of the pod's spec with this name, of any kind. */
export function containerSpec({ pod }: PodRecord, name: string): Container | undefined {
  const { initContainers = [], containers, ephemeralContainers = [] } = pod.spec;
  return [...initContainers, ...containers, ...ephemeralContainers].find((container) => container.name === name);
}

/**
 * Runtime id of the run of a container that works now.
 * @throws ApiFault 404
 */
export async function runningContainer(host: PodHost, { pod }: PodRecord, name: string, signal: AbortSignal): Promise<string> {
  const actual = await needPods(host).observe(pod.metadata.uid ?? '', signal);
  const run = runsOf(actual, name).find(({ state }) => state === 'running');
  // The words that kubectl's users know.
  if (!run) throw new ApiFault(404, `container not found ("${name}")`);
  return run.id;
}
