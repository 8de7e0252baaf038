import { errorCode, type MessageBus } from '@edge/core';
import { isApiError, readBody, respondText, type IncomingRequest, type RequestHook } from '@edge/kubeapi';
import { createMessage, Groups, isFields, Modules, Operations, Sources } from '@edge/protocol';
import { BODY_LIMIT } from './body-limit.js';
import { whyNotHeld } from './held.js';
import type { Kubelet } from './kubelet.js';
import type { NodePods } from './node-pods.js';

/** Of a job for the node: it is only begun. */
const CONFIRM_MS = 10_000;

export interface SpecialPathDeps {
  readonly bus: MessageBus;
  readonly kubelet: Kubelet;
  readonly pods: NodePods;
}

interface Answer {
  readonly code: number;
  /** JSON when it is an object. */
  readonly body: string | object;
}

/** Upstream's own paths, below those of pods and nodes; the answers are upstream's, refusals in plain text. [metaserver-31] */
export class SpecialPaths {
  readonly #deps: SpecialPathDeps;

  constructor(deps: SpecialPathDeps) {
    this.#deps = deps;
  }

  readonly onRequest: RequestHook = async (request) => {
    const handle = request.method === 'POST' ? this.#handlerOf(request) : undefined;
    if (handle === undefined) return false;
    const { code, body } = await handle();
    if (typeof body === 'string') respondText(request.response, code, body === '' ? '' : `${body}\n`, 'text/plain; charset=utf-8');
    else respondText(request.response, code, JSON.stringify(body), 'application/json');
    return true;
  };

  #handlerOf(request: IncomingRequest): (() => Promise<Answer>) | undefined {
    const { group, version, resource, namespace, name, subresource } = request.ref ?? {};
    if (group !== '' || version !== 'v1' || subresource !== undefined) return undefined;
    // Who may create things in one namespace has passed below it: what is the whole node's has no path there.
    if (namespace !== undefined) return `${resource}/${name}` === 'pods/restart' ? () => this.#restart(request, namespace) : undefined;
    switch (`${resource}/${name}`) {
      case 'pods/unhold-upgrade': return () => this.#releasePod(request);
      case 'nodes/unhold-upgrade': return () => this.#releaseNode(request);
      case 'taskupgrade/confirm-upgrade': return () => this.#confirm();
      default: return undefined;
    }
  }

  async #restart({ request, context }: IncomingRequest, namespace: string): Promise<Answer> {
    const names = namesIn(await bodyOf(request));
    if (names === undefined) return { code: 500, body: 'the body must be a list of names of pods, such as ["web","db"]' };
    // Containers get 3 s each and are stopped one pod after the other.
    const content = await this.#deps.kubelet.ask(Operations.update, 'pods/restart', { namespace, pods: names }, 60_000 + names.length * 10_000, context.signal);
    return { code: 200, body: isFields(content) ? content : {} };
  }

  async #releasePod({ request, context }: IncomingRequest): Promise<Answer> {
    const key = (await bodyOf(request)).trim();
    const [namespace = '', name = '', ...rest] = key.split('/');
    if (namespace === '' || name === '' || rest.length > 0) return { code: 400, body: 'invalid format, expected <namespace>/<name>' };
    try {
      const why = whyNotHeld(await this.#deps.pods.find({ namespace, name }, context));
      if (why !== undefined) return { code: 400, body: why };
    } catch (error) {
      if (isApiError(error, 'NotFound')) return { code: 404, body: `pod not found: ${error.message}` };
      throw error;
    }
    await this.#release(namespace, name);
    return { code: 200, body: '' };
  }

  async #releaseNode({ request }: IncomingRequest): Promise<Answer> {
    const node = (await bodyOf(request)).trim();
    if (node === '') return { code: 400, body: 'invalid format, expected the name of a node' };
    for (const pod of this.#deps.pods.assignedTo(node)) {
      if (whyNotHeld(pod) === undefined) await this.#release(pod.metadata.namespace ?? '', pod.metadata.name);
    }
    return { code: 200, body: '' };
  }

  async #release(namespace: string, name: string): Promise<void> {
    const message = createMessage({ source: Modules.metaManager, group: '', operation: Operations.unholdUpgrade, resource: `${namespace}/pod/${name}` });
    await this.#deps.kubelet.tell(message);
  }

  /** Jobs are the task manager's; an agent without one has none that could be begun. */
  async #confirm(): Promise<Answer> {
    const none: Answer = { code: 400, body: 'there are no valid upgrade tasks to execute' };
    const question = createMessage({ source: Sources.metaServer, group: Groups.taskManager, operation: Operations.update, resource: 'upgrade/confirm' });
    try {
      const { content, route } = await this.#deps.bus.request({ group: Groups.taskManager }, question, { timeoutMs: CONFIRM_MS });
      if (route.operation === Operations.error) return { code: 500, body: `failed to get upgrade spec, err: ${String(content)}` };
      return isFields(content) && content.confirmed === true ? { code: 200, body: '' } : none;
    } catch (error) {
      if (errorCode(error) === 'bus.no-receiver') return none;
      throw error;
    }
  }
}

async function bodyOf(request: IncomingRequest['request']): Promise<string> {
  return (await readBody(request, BODY_LIMIT)).toString('utf8');
}

function namesIn(text: string): string[] | undefined {
  try {
    const names: unknown = JSON.parse(text);
    return Array.isArray(names) && names.every((name) => typeof name === 'string') ? names : undefined;
  } catch {
    return undefined;
  }
}
