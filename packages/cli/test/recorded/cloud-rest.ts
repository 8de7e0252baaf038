import { createResponse, strategicMerge, type KubeNode, type Lease, type Message, type NodeStatus, type Pod } from '@edge/protocol';
import { objectIn, podIn, typeOf } from './recordings.js';
import { sameButTimes } from './texts.js';

/**
 * What a recording cannot say: the same objects, as they are with what this agent on this machine has sent. Also
 * answers what the Go agent never asked. An API server of v1.20, as the recorded one: it drops status members that it does not know.
 */
export class CloudRest {
  /** Pods by uid as the agent was last told. */
  readonly #pods = new Map<string, Pod>();
  #node: KubeNode | undefined;
  #lease: Lease | undefined;
  #version = 0;
  readonly #uid: string;

  /** @param uid of objects that the recording does not make */
  constructor(uid: string) {
    this.#uid = uid;
  }

  /** The pod as the API has it. */
  pod(name: string): Pod | undefined {
    return [...this.#pods.values()].find(({ metadata }) => metadata.name === name);
  }

  get node(): KubeNode | undefined {
    return this.#node;
  }

  /** A message of the recording as it has to be in this run. */
  readonly adapt = (message: Message, request?: Message): Message => {
    switch (typeOf(message)) {
      case 'node':
      case 'nodepatch':
        return this.#adaptNode(message, request);
      case 'pod':
      case 'podpatch':
        return this.#adaptPod(message, request);
      case 'lease':
        this.#lease = objectIn<Lease>(message) ?? this.#lease;
        return message;
      default:
        return message;
    }
  };

  /** An answer to what the recording does not have. */
  readonly otherwise = (request: Message): Message | undefined => {
    const content = this.#answer(request);
    return content === undefined ? undefined : createResponse(request, content, { source: 'edgecontroller', group: 'resource' });
  };

  #answer({ route, content }: Message): unknown {
    const [, type = '', name = ''] = route.resource.split('/');
    switch (`${route.operation} ${type}`) {
      case 'insert node':
        this.#node = this.#stamped(content as KubeNode);
        return { Object: this.#node, Err: null };
      case 'patch nodepatch':
        if (this.#node) this.#node = this.#stamped(strategicMerge(this.#node, JSON.parse(content as string) as object));
        return { Object: this.#node ?? null, Err: null };
      case 'query lease':
        return this.#lease ? { Object: this.#lease, Err: null } : { Object: null, Err: { ErrStatus: { metadata: {}, status: 'Failure', reason: 'NotFound', message: 'not found', code: 404 } } };
      case 'insert lease':
      case 'update lease':
        this.#lease = this.#stamped({ ...this.#lease, ...(content as Lease) });
        return { Object: this.#lease, Err: null };
      case 'patch podpatch': {
        const before = this.pod(name);
        return before ? { Object: this.#patched(before, content as string), Err: null } : undefined;
      }
      default:
        return undefined;
    }
  }

  #stamped<T extends { metadata: object }>(object: T): T {
    this.#version += 1;
    return { ...object, metadata: { uid: this.#uid, ...object.metadata, resourceVersion: String(this.#version) } };
  }

  #adaptNode(message: Message, request?: Message): Message {
    const recorded = objectIn<KubeNode>(message);
    if (!recorded) return message;
    const sent = request?.content;
    if (request?.route.operation === 'insert') this.#node = sent as KubeNode;
    else if (typeof sent === 'string' && this.#node) this.#node = strategicMerge(this.#node, JSON.parse(sent) as object);
    const own = this.#node?.status;
    const status = own && recorded.status ? withOwnFacts(recorded.status, own) : recorded.status;
    this.#node = { ...recorded, ...(status ? { status } : {}) };
    return withObject(message, this.#node);
  }

  #adaptPod(message: Message, request?: Message): Message {
    const recorded = podIn(message);
    if (!recorded) return message;
    const uid = recorded.metadata.uid ?? '';
    const known = this.#pods.get(uid) ?? recorded;
    const now = typeof request?.content === 'string' ? this.#patched(known, request.content) : known;
    const pod: Pod = { ...recorded, ...(recorded.status ? { status: keepTimes(recorded.status, now.status) } : {}) };
    this.#pods.set(uid, pod);
    return withObject(message, pod);
  }

  #patched(pod: Pod, patchText: string): Pod {
    const patched = withoutUnknown(strategicMerge(pod, JSON.parse(patchText) as object));
    this.#pods.set(pod.metadata.uid ?? '', patched);
    return patched;
  }
}

/** The pod without what an API server of v1.20 drops. */
export function withoutUnknown(pod: Pod): Pod {
  const { hostIPs: _hostIPs, containerStatuses, ...status } = pod.status ?? {};
  const known = containerStatuses?.map(({ volumeMounts: _volumeMounts, ...one }) => one);
  return { ...pod, status: { ...status, ...(known ? { containerStatuses: known } : {}) } };
}

/** What the machine is, and the conditions as the node has reported them where the cloud has not changed them. */
function withOwnFacts(recorded: NodeStatus, own: NodeStatus): NodeStatus {
  const conditions = (recorded.conditions ?? []).map((condition) => {
    const reported = own.conditions?.find(({ type }) => type === condition.type);
    return reported?.status === condition.status ? reported : condition;
  });
  const { capacity = {}, allocatable = {}, nodeInfo } = own;
  return { ...recorded, capacity, allocatable, conditions, ...(nodeInfo ? { nodeInfo } : {}) };
}

/** The recorded value with the times of the known one, wherever nothing but the time differs. */
function keepTimes<T>(recorded: T, known: unknown): T {
  if (Array.isArray(recorded) && Array.isArray(known)) {
    return recorded.map((one: unknown) => keepTimes(one, known.find((other) => sameButTimes(one, other)))) as T;
  }
  if (typeof recorded === 'string') return sameButTimes(recorded, known) ? (known as T) : recorded;
  if (typeof recorded !== 'object' || recorded === null || typeof known !== 'object' || known === null) return recorded;
  const entries = Object.entries(recorded).map(([key, value]) => [key, keepTimes(value, (known as Record<string, unknown>)[key])]);
  return Object.fromEntries(entries) as T;
}

function withObject(message: Message, object: object): Message {
  const { content } = message;
  return { ...message, content: 'Err' in (content as object) ? { ...(content as object), Object: object } : object };
}
