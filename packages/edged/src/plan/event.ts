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

/** Name of the object for an event that happens now; the number tells those of one millisecond apart. */
export function eventName(pod: Pod, now: number, sequence: number): string {
  return `${pod.metadata.name}.${now.toString(16)}${sequence.toString(16).padStart(4, '0')}`;
}

export interface EventOccurrence {
  /** Of the object. */
  readonly name: string;
  readonly count: number;
  /** Times of the first and the last time that it happened, milliseconds since the epoch. */
  readonly first: number;
  readonly last: number;
}

/** The Event object of the API for it. */
export function eventObject(pod: Pod, event: PodEvent, nodeName: string, occurrence: EventOccurrence): KubeObject {
  const { name = '', namespace = '', uid = '', resourceVersion } = pod.metadata;
  return {
    metadata: { name: occurrence.name, namespace, creationTimestamp: null },
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
    firstTimestamp: seconds(occurrence.first),
    lastTimestamp: seconds(occurrence.last),
    count: occurrence.count,
    type: event.type,
    eventTime: null,
    reportingComponent: 'kubelet',
    reportingInstance: nodeName,
  };
}
