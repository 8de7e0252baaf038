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

interface Container {
  readonly id: string;
  readonly pod: string;
  readonly uid: string;
  /** Name in the pod; empty for the sandbox. */
  readonly name: string;
}

/** All containers and sandboxes that the runtime knows, dead ones as well. */
async function containers(containerd: Containerd): Promise<Container[]> {
  const ids = (await containerd.ctr('containers', 'ls', '-q')).split('\n').filter((id) => id !== '');
  return Promise.all(
    ids.map(async (id) => {
      const { Labels: labels = {} } = JSON.parse(await containerd.ctr('containers', 'info', id)) as { Labels?: Record<string, string> };
      return { id, pod: labels['io.kubernetes.pod.name'] ?? '', uid: labels['io.kubernetes.pod.uid'] ?? '', name: labels['io.kubernetes.container.name'] ?? '' };
    }),
  );
}

/** Ids of what runs, sandboxes as well, with the pod's name. */
export async function running(containerd: Containerd): Promise<ReadonlyMap<string, string>> {
  const tasks = (await containerd.ctr('tasks', 'ls')).split('\n').filter((line) => line.includes('RUNNING')).map((line) => line.split(/\s+/)[0] ?? '');
  const known = await containers(containerd);
  return new Map(tasks.map((id) => [id, known.find((container) => container.id === id)?.pod ?? '']));
}

/** How many containers, dead or alive and without sandboxes, the runtime has of each pod. */
export async function attempts(containerd: Containerd, pods: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const known = (await containers(containerd)).filter(({ name }) => name !== '');
  return new Map(pods.map((pod) => [pod, known.filter((container) => container.pod === pod).length]));
}

/** Pods that the runtime still has anything of, by uid. */
export async function podUids(containerd: Containerd): Promise<ReadonlySet<string>> {
  return new Set((await containers(containerd)).map(({ uid }) => uid));
}

/** Names of containers of which more than one works at the same time. */
export async function doubles(containerd: Containerd): Promise<string[]> {
  const up = await running(containerd);
  const alive = (await containers(containerd)).filter(({ id, name }) => name !== '' && up.has(id)).map(({ uid, name }) => `${uid}/${name}`);
  return alive.filter((key, index) => alive.indexOf(key) !== index);
}
