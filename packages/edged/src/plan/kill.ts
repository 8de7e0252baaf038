import type { RuntimeContainerStatus } from '@edge/core';
import type { Container, LifecycleHandler, Pod } from '@edge/protocol';
import { specOf } from './containers.js';
import { podGrace, recordedGrace } from './grace.js';
import { ContainerAnnotations, containerName } from './identity.js';
import type { ContainerKill } from './steps.js';

export interface KillOptions {
  /** For people. */
  readonly why: string;
  /** Instead of what the pod says. */
  readonly graceSeconds?: number | undefined;
  /** Containers of the same step that end before this one is told to. */
  readonly after?: readonly string[];
}

/** How one container is ended. What the pod object does not tell was written down with the container when it was made. */
export function containerKill(pod: Pod | undefined, run: RuntimeContainerStatus, { why, graceSeconds, after }: KillOptions): ContainerKill {
  const name = containerName(run);
  const spec = pod && specOf(pod, name);
  const preStop = run.state === 'running' ? (spec ? spec.container.lifecycle?.preStop : recorded<LifecycleHandler>(run, ContainerAnnotations.preStop)) : undefined;
  const ports = spec ? spec.container.ports : recorded<Container['ports']>(run, ContainerAnnotations.ports);
  return {
    containerId: run.id,
    name,
    fieldPath: spec?.fieldPath ?? `spec.containers{${name}}`,
    graceSeconds: graceSeconds ?? (pod ? podGrace(pod) : recordedGrace(run)),
    why,
    ...(preStop ? { preStop, ...(ports ? { ports } : {}) } : {}),
    ...(after && after.length > 0 ? { after } : {}),
  };
}

/** JSON that cannot be read is not ours; the container ends without its hook. */
function recorded<T>({ annotations }: RuntimeContainerStatus, key: string): T | undefined {
  try {
    return JSON.parse(annotations[key] ?? 'null') as T | undefined ?? undefined;
  } catch {
    return undefined;
  }
}
