import type { ContainerConfig, RuntimeContainer } from '@edge/core';
import type { Container, Pod } from '@edge/protocol';
import { isStatic, SourceAnnotations } from '../policy/standing.js';

/** Labels by which any agent finds a pod's sandboxes and containers in the runtime. */
export const PodLabels = {
  name: 'io.kubernetes.pod.name',
  namespace: 'io.kubernetes.pod.namespace',
  uid: 'io.kubernetes.pod.uid',
  container: 'io.kubernetes.container.name',
} as const;

/** Annotations that carry what a later agent has to know about a container. */
export const ContainerAnnotations = {
  hash: 'io.kubernetes.container.hash',
  restartCount: 'io.kubernetes.container.restartCount',
  messagePath: 'io.kubernetes.container.terminationMessagePath',
  messagePolicy: 'io.kubernetes.container.terminationMessagePolicy',
  grace: 'io.kubernetes.pod.terminationGracePeriod',
  deletionGrace: 'io.kubernetes.pod.deletionGracePeriod',
  preStop: 'io.kubernetes.container.preStopHandler',
  ports: 'io.kubernetes.container.ports',
  /** Ours: how long the next restart has to wait. Kept with the container so that back-off survives the agent. */
  backoffSeconds: 'edge/restart-backoff-seconds',
} as const;

/** Where a container leaves its last words unless its spec says otherwise. */
export const DEFAULT_MESSAGE_PATH = '/dev/termination-log';

/** A container is restarted when this differs: only image and name count. Lower-case hex, not padded. */
export function containerHash(container: Pick<Container, 'name' | 'image'>): string {
  const json = JSON.stringify({ image: container.image ?? '', name: container.name });
  const dump = `([]uint8)[${Buffer.from(json, 'utf8').join(' ')}]`;
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(dump, 'ascii')) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash.toString(16);
}

/** Labels of the sandbox: the pod's and the three that identify it. */
export function sandboxLabels(pod: Pod): Record<string, string> {
  return { ...pod.metadata.labels, ...podLabels(pod) };
}

export function podLabels(pod: Pod): Record<string, string> {
  return {
    [PodLabels.name]: pod.metadata.name ?? '',
    [PodLabels.namespace]: pod.metadata.namespace ?? '',
    [PodLabels.uid]: pod.metadata.uid ?? '',
  };
}

/** Annotations of the sandbox: the pod's, when the agent first saw it (RFC 3339), and from where. */
export function sandboxAnnotations(pod: Pod, seen: string): Record<string, string> {
  const source = isStatic(pod) ? 'file' : 'api';
  return { ...pod.metadata.annotations, [SourceAnnotations.seen]: pod.metadata.annotations?.[SourceAnnotations.seen] ?? seen, [SourceAnnotations.source]: source };
}

export function containerLabels(pod: Pod, container: Container): Record<string, string> {
  return { [PodLabels.container]: container.name, ...podLabels(pod) };
}

export function containerAnnotations(pod: Pod, container: Container, restartCount: number, backoffSeconds: number): Record<string, string> {
  const preStop = (container.lifecycle as { preStop?: unknown } | undefined)?.preStop;
  const { terminationGracePeriodSeconds: grace } = pod.spec;
  const { deletionGracePeriodSeconds: deletionGrace } = pod.metadata;
  const { ports = [] } = container;
  return {
    [ContainerAnnotations.hash]: containerHash(container),
    [ContainerAnnotations.restartCount]: String(restartCount),
    [ContainerAnnotations.messagePath]: container.terminationMessagePath || DEFAULT_MESSAGE_PATH,
    [ContainerAnnotations.messagePolicy]: container.terminationMessagePolicy ?? 'File',
    ...(grace === undefined ? {} : { [ContainerAnnotations.grace]: String(grace) }),
    ...(deletionGrace === undefined ? {} : { [ContainerAnnotations.deletionGrace]: String(deletionGrace) }),
    ...(preStop === undefined ? {} : { [ContainerAnnotations.preStop]: JSON.stringify(preStop) }),
    ...(ports.length === 0 ? {} : { [ContainerAnnotations.ports]: JSON.stringify(ports) }),
    ...(backoffSeconds === 0 ? {} : { [ContainerAnnotations.backoffSeconds]: String(backoffSeconds) }),
  };
}

/** Which container of the pod spec this is. */
export function containerName(container: Pick<RuntimeContainer, 'labels' | 'metadata'>): string {
  return container.labels[PodLabels.container] ?? container.metadata.name;
}

/** How often it was restarted before; undefined when nothing usable is written down. */
export function restartCountOf(container: Pick<ContainerConfig, 'annotations' | 'metadata'>): number {
  const written = container.annotations[ContainerAnnotations.restartCount];
  const count = written === undefined || written === '' ? Number.NaN : Number(written);
  return Number.isSafeInteger(count) && count >= 0 ? count : container.metadata.attempt;
}

/** `/var/log/pods/<namespace>_<name>_<uid>`. */
export function logDirectory(podLogsDir: string, pod: { namespace: string; name: string; uid: string }): string {
  return `${podLogsDir}/${pod.namespace}_${pod.name}_${pod.uid}`;
}
