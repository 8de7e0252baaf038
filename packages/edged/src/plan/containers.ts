import type { Container, Pod } from '@edge/protocol';

/** A sidecar: an init container that goes on beside the regular ones. */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always';
}

/** Init containers that have to come to an end. */
export function plainInits(pod: Pod): Container[] {
  return (pod.spec.initContainers ?? []).filter((container) => !isSidecar(container));
}

export function sidecars(pod: Pod): Container[] {
  return (pod.spec.initContainers ?? []).filter(isSidecar);
}

/** A container of any kind by its name, and the field of the pod that describes it. */
export function specOf({ spec }: Pod, name: string): { readonly container: Container; readonly fieldPath: string } | undefined {
  for (const field of ['containers', 'initContainers', 'ephemeralContainers'] as const) {
    const container = spec[field]?.find((one) => one.name === name);
    if (container) return { container, fieldPath: `spec.${field}{${name}}` };
  }
  return undefined;
}

export type RestartPolicy = 'Always' | 'OnFailure' | 'Never';

export function restartPolicy(pod: Pod): RestartPolicy {
  return pod.spec.restartPolicy ?? 'Always';
}

/** Init containers are done when they succeeded once, so `Always` means `OnFailure` for them. */
export function initRestartPolicy(pod: Pod): RestartPolicy {
  return restartPolicy(pod) === 'Always' ? 'OnFailure' : restartPolicy(pod);
}

/** Whether a run that ended with this code is followed by another. */
export function restarts(policy: RestartPolicy, exitCode: number): boolean {
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0);
}

/** Both phases that never change again. */
export function isTerminalPhase(phase: string | undefined): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}
