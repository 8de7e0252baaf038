import { EdgeError } from '@edge/core';

/**
 * Codes of this package. Those whose last word is in capitals of Kubernetes end up as a container's waiting reason.
 *
 * | code | meaning |
 * |---|---|
 * | `edged.root-directory` | the root directory cannot be made or written |
 * | `edged.bad-answer` | metamanager answered in a form that makes no sense |
 * | `edged.refused` | the cloud (or metamanager for it) said no; `status` says why when it came from the API |
 * | `edged.volume` | a volume cannot be prepared |
 * | `edged.mount` | something cannot be mounted or unmounted |
 * | `edged.csi` | a CSI driver is not there, or said no |
 * | `edged.container-config` | a container's settings cannot be resolved (`CreateContainerConfigError`) |
 * | `edged.image-name` | a text is no name of an image |
 * | `edged.cgroups` | control groups are not there, or one cannot be made, limited or removed |
 * | `edged.resolver` | the resolver file that pods inherit from cannot be read |
 * | `edged.hostname` | the name that a pod wants is longer than the kernel can hold |
 * | `edged.runtime-class` | the runtime has no handler for the pod's runtime class |
 * | `edged.log` | the log file of a container is not there or cannot be read |
 * | `edged.quantity` | a resource quantity cannot be read |
 * | `edged.api-token` | the token file of the local kubelet API cannot be used |
 * | `edged.no-api` | the local kubelet API is switched off or not served now |
 * | `edged.no-runtime` | the container runtime has not been reached since the agent started |
 * | `edged.no-container` | nothing of a pod runs on this node |
 * | `edged.unreachable` | a probe or hook got no answer from a pod, or none that counts |
 * | `edged.probe-timeout` | the answer did not come in time |
 * | `edged.probe-target` | a probe or hook names something that cannot be asked: a port, a host, no action |
 * | `edged.runtime-hangs` | the runtime does not answer in time, which is not the container's fault |
 * | `edged.hook` | a hook of a container failed |
 * | `edged.manifest` | a file with a static pod is not one |
 * | `edged.cannot-start` | a `CannotStart`: the reason is its own |
 */
export type EdgedErrorCode =
  | 'edged.root-directory'
  | 'edged.bad-answer'
  | 'edged.refused'
  | 'edged.volume'
  | 'edged.mount'
  | 'edged.csi'
  | 'edged.container-config'
  | 'edged.image-name'
  | 'edged.cgroups'
  | 'edged.resolver'
  | 'edged.hostname'
  | 'edged.runtime-class'
  | 'edged.log'
  | 'edged.quantity'
  | 'edged.api-token'
  | 'edged.no-api'
  | 'edged.no-runtime'
  | 'edged.no-container'
  | 'edged.unreachable'
  | 'edged.probe-timeout'
  | 'edged.probe-target'
  | 'edged.runtime-hangs'
  | 'edged.hook'
  | 'edged.manifest';

/**
 * Something keeps a container from starting, for now at least. It is told in the container's waiting state; the pod's
 * other containers start all the same.
 */
export class CannotStart extends EdgeError {
  /** Reason of the waiting state: `ErrImagePull`, `CreateContainerConfigError`, … */
  readonly reason: string;
  /** Another try makes no sense before this time, milliseconds since the epoch; undefined: after the usual pause. */
  readonly retryAt: number | undefined;

  constructor(reason: string, message: string, options: { readonly retryAt?: number; readonly cause?: unknown } = {}) {
    super('edged.cannot-start', message, options.cause === undefined ? undefined : { cause: options.cause });
    this.reason = reason;
    this.retryAt = options.retryAt;
  }
}

export function edgedError(code: EdgedErrorCode, message: string, cause?: unknown): EdgeError {
  return new EdgeError(code, message, cause === undefined ? undefined : { cause });
}
