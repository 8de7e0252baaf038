import { createMemoryRuntime, type CaptureStep, type MemoryRuntime } from '@edge/testing';
import { cloudMessages, podIn } from './recordings.js';

/** As long as it took there, more or less; a second at least, so that the states before and after it have different times. */
const SANDBOX_MS = 1000;

/** A container as the recording shows it. */
interface RecordedContainer {
  readonly id: string;
  readonly image: string;
  readonly imageID: string;
}

/**
 * A runtime in which the pods of the recordings get the container ids, images and addresses that they had there, and
 * whose containers, as there, take no notice of SIGTERM.
 */
export function recordedRuntime(recordings: readonly (readonly CaptureStep[])[]): MemoryRuntime {
  const addresses = new Map<string, string>();
  const containers = new Map<string, RecordedContainer>();
  const images = new Map<string, { id: string; name: string }>();
  for (const pod of recordings.flatMap((steps) => cloudMessages(steps)).flatMap((message) => podIn(message) ?? [])) {
    const uid = pod.metadata.uid ?? '';
    if (pod.status?.podIP) addresses.set(uid, pod.status.podIP);
    for (const { name, image = '', imageID = '', containerID = '' } of pod.status?.containerStatuses ?? []) {
      if (containerID === '') continue;
      containers.set(`${uid} ${name}`, { id: containerID.replace(/^.*:\/\//, ''), image, imageID });
      const wanted = pod.spec.containers.find((container) => container.name === name)?.image;
      if (wanted !== undefined) images.set(wanted, { id: imageID, name: image });
    }
  }
  return createMemoryRuntime({
    version: { name: 'containerd', version: '1.6.20' },
    behaviour: () => ({ onTerm: 'ignored' }),
    latencyMs: (call) => (call === 'runPodSandbox' ? SANDBOX_MS : 0),
    names: {
      address: ({ metadata }) => addresses.get(metadata.uid),
      // A second run of a container was not recorded; it would get an id of its own.
      containerId: ({ metadata }, sandbox) => (metadata.attempt === 0 ? containers.get(`${sandbox.metadata.uid} ${metadata.name}`)?.id : undefined),
      image: (name) => images.get(name),
    },
  });
}

const NOT_YET = [
  { type: 'RuntimeReady', status: false, reason: 'NotYet', message: 'the runtime is being started' },
  { type: 'NetworkReady', status: true, reason: '', message: '' },
];
const READY = [
  { type: 'RuntimeReady', status: true, reason: '', message: '' },
  { type: 'NetworkReady', status: true, reason: '', message: '' },
];

/** Whether the runtime says that it can take pods. */
export function setReady(runtime: MemoryRuntime, ready: boolean): void {
  runtime.setConditions(ready ? READY : NOT_YET);
}

/** Lets no sandbox be made before that time, Unix ms. */
export function failSandboxesUntil(runtime: MemoryRuntime, time: number): void {
  const make = runtime.runPodSandbox.bind(runtime);
  runtime.runPodSandbox = (config, signal) => (Date.now() < time ? Promise.reject(new Error('the network of the pod cannot be set up')) : make(config, signal));
}
