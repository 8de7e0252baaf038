import type { PodSandbox, RuntimeContainer } from '@edge/core';
import { createCriRuntime } from '@edge/cri';
import { BUSYBOX_IMAGE, type Containerd } from '@edge/testing';
import type { KubeNode, Pod } from '@edge/protocol';

/** A pod of one busybox container that runs a line of shell. */
export function podOn(node: string, name: string, script: string): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: {
      nodeName: node,
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'main', image: BUSYBOX_IMAGE, imagePullPolicy: 'Never', command: ['sh', '-c', script] }],
    },
  };
}

/** The message of the Ready condition when it is not True, else its reason. */
export function readyMessage(node: KubeNode | undefined): string {
  const ready = node?.status?.conditions?.find(({ type }) => type === 'Ready');
  return (ready?.status === 'True' ? ready.reason : ready?.message) ?? '';
}

/** What the runtime has now, asked beside the agent. */
async function listed(containerd: Containerd): Promise<{ readonly sandboxes: readonly PodSandbox[]; readonly containers: readonly RuntimeContainer[] }> {
  await using runtime = await createCriRuntime({ endpoint: containerd.socket });
  const [sandboxes, containers] = await Promise.all([runtime.listPodSandboxes(), runtime.listContainers()]);
  return { sandboxes, containers };
}

const podOf = (labels: Readonly<Record<string, string>>): string => labels['io.kubernetes.pod.name'] ?? '';
const uidOf = (labels: Readonly<Record<string, string>>): string => labels['io.kubernetes.pod.uid'] ?? '';

/** Ids of what runs, sandboxes as well, with the pod's name. */
export async function running(containerd: Containerd): Promise<ReadonlyMap<string, string>> {
  const { sandboxes, containers } = await listed(containerd);
  return new Map([...sandboxes.filter(({ state }) => state === 'ready'), ...containers.filter(({ state }) => state === 'running')].map(({ id, labels }) => [id, podOf(labels)]));
}

/** How many containers, dead or alive and without sandboxes, the runtime has of each pod. */
export async function attempts(containerd: Containerd, pods: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const { containers } = await listed(containerd);
  return new Map(pods.map((pod) => [pod, containers.filter(({ labels }) => podOf(labels) === pod).length]));
}

/** Pods that the runtime still has anything of, by uid. */
export async function podUids(containerd: Containerd): Promise<ReadonlySet<string>> {
  const { sandboxes, containers } = await listed(containerd);
  return new Set([...sandboxes, ...containers].map(({ labels }) => uidOf(labels)));
}

/** Containers of which more than one works at the same time. */
export async function doubles(containerd: Containerd): Promise<string[]> {
  const { containers } = await listed(containerd);
  const alive = containers.filter(({ state }) => state === 'running').map(({ labels, metadata }) => `${uidOf(labels)}/${metadata.name}`);
  return alive.filter((key, index) => alive.indexOf(key) !== index);
}
