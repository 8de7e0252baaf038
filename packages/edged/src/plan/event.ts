import type { KubeObject, Pod } from '@edge/protocol';
import { seconds } from './time.js';

/** Something worth telling a person who looks at the pod. */
export interface PodEvent {
  readonly type: 'Normal' | 'Warning';
  /** `Pulled`, `Created`, `Started`, `Killing`, `BackOff`, `Failed`, `FailedMount`, `FailedCreatePodSandBox`. */
  readonly reason: string;
  readonly message: string;
  /** Field of the pod that it is about, `spec.containers{web}`. */
  readonly fieldPath?: string;
}

/** The Event object of the API for it. */
export function eventObject(pod: Pod, event: PodEvent, nodeName: string, now: number, sequence: number): KubeObject {
  const { name = '', namespace = '', uid = '', resourceVersion } = pod.metadata;
  return {
    metadata: { name: `${name}.${now.toString(16)}${sequence.toString(16).padStart(4, '0')}`, namespace, creationTimestamp: null },
    involvedObject: {
      kind: 'Pod',
      namespace,
      name,
      uid,
      apiVersion: 'v1',
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(event.fieldPath === undefined ? {} : { fieldPath: event.fieldPath }),
    },
    reason: event.reason,
    message: event.message,
    source: { component: 'kubelet', host: nodeName },
    firstTimestamp: seconds(now),
    lastTimestamp: seconds(now),
    count: 1,
    type: event.type,
    eventTime: null,
    reportingComponent: 'kubelet',
    reportingInstance: nodeName,
  };
}
