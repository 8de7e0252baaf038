import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DraftObject, ResourceClient } from '@edge/kubeapi';
import type { KubeNode, ObjectMeta, Pod, PodSpec } from '@edge/protocol';
import { BUSYBOX_IMAGE, startContainerd, type Containerd, type ImageRecipe } from '@edge/testing';
import { eventually } from '../support/agent.js';
import { NODE, openScene, type Scene } from '../support/scene.js';
import { PodHandle } from './pod-handle.js';

/** One node with an agent on a container runtime, and a cloud, for many specs at a time. */
export interface Cluster extends AsyncDisposable {
  readonly scene: Scene;
  readonly containerd: Containerd;
  /** Folder on the host for what a spec shares with its pods. */
  readonly shared: string;
  readonly node: KubeNode;
  /** URL of the agent's local kubelet API. */
  readonly kubelet: string;
  /** A name that no other spec has. */
  unique(what: string): string;
  resource<T = DraftObject>(apiVersion: string, plural: string): ResourceClient<T>;
  /** Makes an object in a namespace of the cluster and returns its name. */
  make(plural: 'configmaps' | 'secrets' | 'namespaces' | 'serviceaccounts', body: object, namespace?: string): Promise<string>;
  /** Makes a pod on the node. It never restarts and has a second to end, unless the spec says otherwise. */
  start(spec: Partial<PodSpec>, metadata?: Partial<ObjectMeta>): Promise<PodHandle>;
  /** Makes a pod that comes to its end, waits for that and returns it. */
  run(spec: Partial<PodSpec>, metadata?: Partial<ObjectMeta>): Promise<PodHandle>;
}

export async function openCluster(images: readonly ImageRecipe[], edit: (text: string) => string): Promise<Cluster> {
  const containerd = await startContainerd({ images, runtimeHandlers: ['other'] });
  const scene = await openScene({ containerd, edit }).catch(async (cause: unknown) => {
    await containerd[Symbol.asyncDispose]();
    throw cause;
  });
  const { api } = scene.cloud;
  let made = 0;
  const unique = (what: string): string => `${what}-${(made += 1)}`;
  const cluster: Cluster = {
    scene,
    containerd,
    shared: join(scene.folder, 'shared'),
    get node() {
      const node = api.resource<KubeNode>('v1', 'nodes').find(NODE);
      if (!node) throw new Error('the node is not registered');
      return node;
    },
    kubelet: `http://127.0.0.1:${/readOnlyPort: (\d+)/.exec(readFileSync(join(scene.folder, 'node', 'edgecore.yaml'), 'utf8'))?.[1]}`,
    unique,
    resource: (apiVersion, plural) => api.resource(apiVersion, plural),
    make: async (plural, body, namespace = 'default') => {
      const name = unique(plural.slice(0, -1));
      const where = plural === 'namespaces' ? {} : { namespace };
      await api.resource('v1', plural).create({ apiVersion: 'v1', metadata: { name, ...where }, ...body } as DraftObject);
      return name;
    },
    start: async (spec, metadata = {}) => {
      const name = metadata.name ?? unique('pod');
      const namespace = metadata.namespace ?? 'default';
      const containers = (spec.containers ?? []).map((container) => ({ image: BUSYBOX_IMAGE, ...container }));
      const initContainers = spec.initContainers?.map((container) => ({ image: BUSYBOX_IMAGE, ...container }));
      const pod = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { namespace, ...metadata, name },
        spec: { nodeName: NODE, restartPolicy: 'Never', terminationGracePeriodSeconds: 1, ...spec, containers, ...(initContainers ? { initContainers } : {}) },
      };
      const created = await api.resource<Pod>('v1', 'pods').create(pod as never);
      return new PodHandle({ cluster, logs: join(scene.folder, 'node', 'agent', 'pod-logs') }, created);
    },
    run: async (spec, metadata) => {
      const pod = await cluster.start(spec, metadata);
      await pod.ended();
      return pod;
    },
    [Symbol.asyncDispose]: async () => {
      await scene[Symbol.asyncDispose]();
      await containerd[Symbol.asyncDispose]();
    },
  };
  return cluster;
}

/** What the node's agent and its runtime still hold of pods, in words. Empty when all is gone. */
export async function remains({ scene, containerd }: Cluster): Promise<string[]> {
  const pods = (await scene.cloud.api.resource<Pod>('v1', 'pods').list()).items.map(({ metadata }) => `pod ${metadata.namespace}/${metadata.name}`);
  const ids = (await containerd.ctr('containers', 'ls', '-q')).split('\n').filter(Boolean);
  const containers = await Promise.all(ids.map((id) => describeContainer(containerd, id)));
  const folders = readdirSync(join(scene.folder, 'node', 'agent', 'kubelet', 'pods')).map((uid) => `folder of ${uid}`);
  return [...pods, ...containers, ...folders];
}

async function describeContainer(containerd: Containerd, id: string): Promise<string> {
  const { Labels: labels = {} } = JSON.parse(await containerd.ctr('containers', 'info', id).catch(() => '{}')) as { Labels?: Record<string, string> };
  return `${labels['io.kubernetes.container.name'] ?? 'sandbox'} of ${labels['io.kubernetes.pod.name']} (${id.slice(0, 12)})`;
}

/** The node is Ready and reports the resources that pods ask for. */
export async function nodeReady({ scene }: Cluster): Promise<void> {
  await scene.ready(0, 90_000);
  await eventually(() => scene.cloud.hub.sessions.length > 0, 30_000, () => 'the link is not open');
}
