import type { PodSandboxStatus, RuntimeContainerStatus } from '@edge/core';
import type { Container, Pod } from '@edge/protocol';
import { newestFirst, type ActualPod } from '../src/plan/actual.js';
import { ContainerAnnotations, containerHash, PodLabels } from '../src/plan/identity.js';

/** Builders for the tables of the planner's tests. */
export const NOW = Date.parse('2026-01-01T12:00:00Z');

export function somePod(spec: Partial<Pod['spec']> = {}, status: Pod['status'] = {}, metadata: Partial<Pod['metadata']> = {}): Pod {
  return {
    metadata: { name: 'p', namespace: 'ns', uid: 'u', ...metadata },
    spec: { restartPolicy: 'Always', terminationGracePeriodSeconds: 30, containers: [{ name: 'c', image: 'i' }], ...spec },
    status,
  };
}

export function sandbox(attempt = 0, over: Partial<PodSandboxStatus> = {}): PodSandboxStatus {
  return {
    id: `s${attempt}`,
    metadata: { name: 'p', namespace: 'ns', uid: 'u', attempt },
    state: 'ready',
    createdAt: NOW - 60_000 + attempt,
    labels: {},
    annotations: {},
    ips: ['10.0.0.1'],
    hostNetwork: false,
    ...over,
  };
}

export interface RunOver extends Partial<Omit<RuntimeContainerStatus, 'annotations'>> {
  readonly spec?: Container;
  readonly backoff?: number;
  readonly grace?: number;
}

export function run(name: string, attempt = 0, over: RunOver = {}): RuntimeContainerStatus {
  const { spec = { name, image: 'i' }, backoff, grace, ...rest } = over;
  return {
    id: `${name}${attempt}`,
    sandboxId: 's0',
    metadata: { name, attempt },
    image: 'i',
    imageRef: 'ref',
    state: 'running',
    createdAt: NOW - 30_000,
    startedAt: NOW - 30_000,
    finishedAt: 0,
    exitCode: 0,
    reason: '',
    message: '',
    logPath: '',
    mounts: [],
    labels: { [PodLabels.container]: name, [PodLabels.uid]: 'u' },
    annotations: {
      [ContainerAnnotations.hash]: containerHash(spec),
      [ContainerAnnotations.restartCount]: String(attempt),
      ...(backoff === undefined ? {} : { [ContainerAnnotations.backoffSeconds]: String(backoff) }),
      ...(grace === undefined ? {} : { [ContainerAnnotations.grace]: String(grace) }),
    },
    ...rest,
  };
}

export function exited(name: string, attempt: number, exitCode: number, over: RunOver = {}): RuntimeContainerStatus {
  return run(name, attempt, { state: 'exited', exitCode, finishedAt: NOW - 1000, reason: exitCode === 0 ? 'Completed' : 'Error', ...over });
}

export function actualOf(sandboxes: readonly PodSandboxStatus[], containers: readonly RuntimeContainerStatus[]): ActualPod {
  return { uid: 'u', sandboxes: newestFirst(sandboxes), containers: newestFirst(containers) };
}
