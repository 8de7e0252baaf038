import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudLink, createCell, provideValue, type Bind, type ContainerRuntime, type LinkStatus, type ModuleDefinition } from '@edge/core';
import { createMessage, createResponse, strategicMerge, type KubeNode, type Lease, type Message, type Pod, type Status } from '@edge/protocol';
import { createMemoryRuntime, ownLoopback, runModule, testIdentity, type MemoryRuntime, type RunningModule, type TestBus } from '@edge/testing';
import { createEdged, type OpenRuntime } from '../src/index.js';

const notFound: Status = { status: 'Failure', reason: 'NotFound', message: 'not found', code: 404, metadata: {} };
const noSuchPod = (name: string): Status => ({ ...notFound, message: `pods "${name}" not found`, details: { name, kind: 'pods' } });
const exists: Status = { status: 'Failure', reason: 'AlreadyExists', message: 'exists', code: 409, metadata: {} };

/** The cloud and metamanager in one: keeps objects, answers as they do, and records what edged says. */
export class PlayedCloud {
  readonly received: Message[] = [];
  readonly pods = new Map<string, Pod>();
  readonly objects = new Map<string, object>();
  /** Stored at the edge; what the list query and node query answer from. */
  readonly stored = new Map<string, string>();
  node: KubeNode | undefined;
  /** Patches for a node that is not there are refused instead of lost. */
  nodeIsDeleted = false;
  lease: Lease | undefined;
  /** Members of a pod status that this API server does not know. */
  unknownStatusFields: string[] = [];
  /** While false nothing reaches the cloud. */
  online = true;
  /** While true status patches are taken and not answered. */
  mute = false;
  #bus: TestBus | undefined;
  #version = 100;
  readonly #waiters = new Set<() => void>();

  join(bus: TestBus): void {
    this.#bus = bus;
    bus.play('metamanager', 'meta', (message) => this.#handle(message));
  }

  sent(operation: string, resource: string): Message[] {
    return this.received.filter(({ route }) => route.operation === operation && route.resource === resource);
  }

  patches(pod: Pod): Record<string, never>[] {
    const { namespace, name } = pod.metadata;
    return this.sent('patch', `${namespace}/podpatch/${name}`).map(({ content }) => JSON.parse(content as string) as Record<string, never>);
  }

  /** Assigns a pod, or changes it, and pushes it. */
  push(pod: Pod, operation = 'update'): Promise<void> {
    return this.#toEdged(operation, `${pod.metadata.namespace}/pod/${pod.metadata.name}`, this.put(pod));
  }

  put(pod: Pod): Pod {
    const stamped = { ...pod, metadata: { ...pod.metadata, resourceVersion: String((this.#version += 1)) } };
    this.pods.set(key(stamped), stamped);
    this.stored.set(`pod ${key(stamped)}`, JSON.stringify(stamped));
    return stamped;
  }

  /** As `kubectl delete`: the object stays until the node says that the pod has ended. */
  startDeletion(pod: Pod, graceSeconds: number): Promise<void> {
    const current = this.pods.get(key(pod)) as Pod;
    return this.push({
      ...current,
      metadata: { ...current.metadata, deletionTimestamp: new Date().toISOString(), deletionGracePeriodSeconds: graceSeconds },
    });
  }

  pushObject(kind: 'configmap' | 'secret', object: { metadata: { namespace: string; name: string } }, operation = 'update'): Promise<void> {
    const { namespace, name } = object.metadata;
    if (operation === 'delete') this.objects.delete(`${namespace}/${kind}/${name}`);
    else this.objects.set(`${namespace}/${kind}/${name}`, object);
    return this.#toEdged(operation, `${namespace}/${kind}/${name}`, object);
  }

  raw(operation: string, resource: string, content: unknown): Promise<void> {
    return this.#toEdged(operation, resource, content);
  }

  /** Answers a message of edged. */
  answer(message: Message, content: unknown): Promise<void> {
    return (this.#bus as TestBus).bus.send({ module: 'edged' }, createResponse(message, content, { source: 'edgecontroller' }));
  }

  /** Waits until the condition holds; looked at after each message and every 10 ms. */
  async until(what: string, condition: () => unknown, timeoutMs = 60_000): Promise<void> {
    const end = Date.now() + timeoutMs;
    while (!condition()) {
      if (Date.now() > end) {
        const last = this.received.slice(-12).map(({ route, content }) => `${route.operation} ${route.resource} ${JSON.stringify(content)?.slice(0, 600)}`);
        throw new Error(`not within ${timeoutMs} ms: ${what}; last messages:\n${last.join('\n')}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 10);
        this.#waiters.add(() => {
          clearTimeout(timer);
          resolve();
        });
      });
      this.#waiters.clear();
    }
  }

  /** As another part of the program asks edged; resolves with the answer's content. */
  async ask(resource: string): Promise<unknown> {
    const question = createMessage({ source: 'edgecore', group: 'edged', operation: 'get', resource });
    return (await (this.#bus as TestBus).bus.request({ module: 'edged' }, question, { timeoutMs: 20_000 })).content;
  }

  #toEdged(operation: string, resource: string, content: unknown): Promise<void> {
    const bus = this.#bus as TestBus;
    return bus.bus.send({ module: 'edged' }, createMessage({ source: 'edgecontroller', group: 'resource', operation, resource, content }));
  }

  #answerLater(message: Message, content: unknown): void {
    this.#soon(() => this.#bus?.bus.send({ module: 'edged' }, createResponse(message, content, { source: 'edgecontroller' })), 1);
  }

  #handle(message: Message): unknown {
    this.received.push(message);
    for (const wake of this.#waiters) wake();
    const { operation, resource } = message.route;
    const [namespace = '', type = '', name = ''] = resource.split('/');
    switch (`${operation} ${type}`) {
      case 'query pod':
        return name === '' ? [...this.stored].filter(([row]) => row.startsWith('pod ')).map(([, text]) => text) : [];
      case 'query podpatch':
        return [...this.stored].filter(([row]) => row.startsWith('podpatch ')).map(([, text]) => text);
      case 'query node':
        return this.stored.has('node') ? [this.stored.get('node')] : [];
      case 'insert node':
        if (!this.online) return createMessage({ ...message.route, operation: 'error', content: 'offline', parentId: message.header.id });
        if (this.node) return { Object: { metadata: { labels: {} } }, Err: { ErrStatus: exists } };
        this.#setNode({ ...(message.content as KubeNode), metadata: { ...(message.content as KubeNode).metadata, uid: this.nodeIsDeleted ? 'node-uid-2' : 'node-uid' } });
        return { Object: this.node, Err: null };
      case 'query lease':
        return this.lease ? { Object: this.lease, Err: null } : { Object: null, Err: { ErrStatus: notFound } };
      case 'insert lease':
      case 'update lease':
        if (this.lease && (message.content as Lease).metadata.resourceVersion !== this.lease.metadata.resourceVersion) {
          return { Object: null, Err: { ErrStatus: { status: 'Failure', reason: 'Conflict', message: 'changed', code: 409 } } };
        }
        this.lease = { ...(message.content as Lease) };
        this.lease.metadata = { ...this.lease.metadata, uid: 'lease-uid', resourceVersion: String((this.#version += 1)) };
        return { Object: this.lease, Err: null };
      case 'patch nodepatch':
        if (this.node && this.online) {
          this.#setNode(strategicMerge(this.node, JSON.parse(message.content as string) as object));
          this.#answerLater(message, { Object: this.node, Err: null });
        } else if (this.nodeIsDeleted) {
          this.#answerLater(message, { Object: null, Err: { ErrStatus: notFound } });
        }
        return undefined;
      case 'patch podpatch':
        this.stored.set(`podpatch ${namespace}/${name}`, message.content as string);
        if (this.online && !this.mute) this.#answerLater(message, this.#patchPod(`${namespace}/${name}`, message.content as string));
        return undefined;
      case 'insert pod':
        return this.online ? this.#createPod(`${namespace}/${name}`, message.content as Pod) : createMessage({ ...message.route, operation: 'error', content: 'offline', parentId: message.header.id });
      case 'delete pod':
        if (this.online) this.#deletePod(message, `${namespace}/${name}`);
        return undefined;
      default: {
        const object = this.objects.get(`${namespace}/${type}/${name}`);
        if (operation !== 'query') return undefined;
        return object ? [JSON.stringify(object)] : { ErrStatus: notFound };
      }
    }
  }

  #setNode(node: KubeNode): void {
    this.node = { ...node, metadata: { ...node.metadata, resourceVersion: String((this.#version += 1)) } };
    this.stored.set('node', JSON.stringify(this.node));
  }

  #patchPod(name: string, text: string): object {
    const pod = this.pods.get(name);
    const patch = JSON.parse(text) as { metadata: { uid: string } };
    if (!pod || pod.metadata.uid !== patch.metadata.uid) return { Object: null, Err: { ErrStatus: noSuchPod(name.slice(name.indexOf('/') + 1)) } };
    const next = strategicMerge(pod, patch);
    for (const field of this.unknownStatusFields) delete next.status?.[field];
    return { Object: this.put(next), Err: null };
  }

  /** As the cloud does with mirror pods: its version is the answer, and comes as a push as well. */
  #createPod(name: string, pod: Pod): object {
    if (this.pods.has(name)) return { Object: null, Err: { ErrStatus: exists } };
    const stamped = this.put({ ...pod, metadata: { ...pod.metadata, uid: `api-${(this.#version += 1)}` } });
    this.#soon(() => this.#toEdged('insert', `${stamped.metadata.namespace}/pod/${stamped.metadata.name}`, stamped), 2);
    return { Object: stamped, Err: null };
  }

  #deletePod(message: Message, name: string): void {
    const pod = this.pods.get(name);
    const { preconditions } = message.content as { preconditions: { uid: string } };
    this.#answerLater(message, 'OK');
    if (!pod || pod.metadata.uid !== preconditions.uid) return;
    this.pods.delete(name);
    this.stored.delete(`pod ${name}`);
    this.stored.delete(`podpatch ${name}`);
    this.#soon(() => this.#toEdged('delete', `${pod.metadata.namespace}/pod/${pod.metadata.name}`, pod), 2);
  }

  #soon(send: () => Promise<void> | undefined, milliseconds: number): void {
    setTimeout(() => {
      send()?.catch((error: { code?: string }) => {
        // The agent was stopped meanwhile.
        if (error.code !== 'bus.no-receiver') throw error;
      });
    }, milliseconds);
  }
}

export interface Scene extends AsyncDisposable {
  readonly cloud: PlayedCloud;
  readonly runtime: MemoryRuntime;
  readonly root: string;
  /** The agent that runs now. */
  agent: RunningModule;
  /** Stops the agent and starts another over the same runtime and directory. */
  restart(while_?: () => void): Promise<void>;
  connect(): void;
  disconnect(): void;
}

export interface SceneOptions {
  readonly cloud?: PlayedCloud;
  readonly runtime?: MemoryRuntime;
  readonly connected?: boolean;
  readonly config?: Record<string, unknown>;
  readonly edge?: Record<string, unknown>;
  /** Of the node; asked each time, so a test may change what is in it. */
  readonly addresses?: string[];
}

export const NODE = 'edge-1';

/** Edged on a real bus with the memory runtime and a played cloud. */
export async function openScene(options: SceneOptions = {}): Promise<Scene> {
  const cloud = options.cloud ?? new PlayedCloud();
  const runtime = options.runtime ?? createMemoryRuntime({});
  const root = await mkdtemp(join(tmpdir(), 'edged-'));
  const first = options.connected ?? true;
  const link = createCell<LinkStatus>({ connected: first, session: first ? 1 : 0, since: Date.now() });
  const start = (over: ContainerRuntime): Promise<RunningModule> => {
    return runModule(withLink(async () => over, link), {
      config: {
        modules: { edged: { rootDirectory: root, ...options.config, tailoredKubeletConfig: { podLogsDir: join(root, 'logs'), staticPodPath: join(root, 'manifests'), address: ownLoopback(), ...(options.config?.['tailoredKubeletConfig'] as object) } } },
        edge: { runtime: 'process', ...options.edge },
      },
      identity: testIdentity(NODE, options.addresses ?? ['192.0.2.10']),
      neighbours: (bus) => cloud.join(bus),
    });
  };
  const scene: Scene = {
    cloud,
    runtime,
    root,
    agent: await start(runtime),
    connect: () => link.set({ connected: true, session: link.value.session + 1, since: Date.now() }),
    disconnect: () => link.set({ ...link.value, connected: false, since: Date.now(), reason: 'cut' }),
    restart: async (between) => {
      await scene.agent.stop();
      between?.();
      scene.agent = await start(runtime.reopen());
    },
    [Symbol.asyncDispose]: async () => {
      await scene.agent.stop();
      runtime.close();
      await rm(root, { recursive: true, force: true });
    },
  };
  return scene;
}

function key(pod: Pod): string {
  return `${pod.metadata.namespace}/${pod.metadata.name}`;
}

/** The module with a link that the test switches. */
export function withLink(openRuntime: OpenRuntime, link: CloudLink): ModuleDefinition {
  const definition = createEdged(openRuntime);
  return {
    ...definition,
    bindings: (bind: Bind) => {
      provideValue(bind, CloudLink, link);
      definition.bindings(bind);
    },
  } as unknown as ModuleDefinition;
}

export function pod(name: string, parts: Partial<Pod['spec']> & { uid?: string; labels?: Record<string, string>; annotations?: Record<string, string> } = {}): Pod {
  const { uid = `uid-${name}`, labels, annotations, ...spec } = parts;
  return {
    metadata: { name, namespace: 'default', uid, ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) },
    spec: { nodeName: NODE, restartPolicy: 'Always', terminationGracePeriodSeconds: 30, containers: [{ name: 'c', image: 'busybox', command: ['run'] }], ...spec },
    status: { phase: 'Pending', qosClass: 'BestEffort' },
  };
}
