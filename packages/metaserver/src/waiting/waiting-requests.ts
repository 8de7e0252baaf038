import type { ServerResponse } from 'node:http';
import { ApiError, notFound, respond, type IncomingRequest, type RequestContext, type RequestHook } from '@edge/kubeapi';
import { OWN_GROUP } from '../types/own-group.js';
import type { WaitingQueue, WaitingRow } from './waiting-queue.js';

/** A client asks with it to have its change kept while the cloud is away. */
const HEADER = 'edge-wait-for-cloud';
/** The same for clients that cannot set a header, such as `kubectl create --raw`. */
const PARAMETER = 'edgeWaitForCloud';
/** Of the answer: number of the change that waits. */
const NUMBER_HEADER = 'Edge-Waiting';
const VERSION = 'v1';
const RESOURCE = 'waiting';
/** What waits and what became of it. */
export const WAITING_PATH = `/apis/${OWN_GROUP}/${VERSION}/${RESOURCE}`;

/** Knows which requests are willing to wait, and serves the list of what waits. */
export class WaitingRequests {
  readonly #queue: WaitingQueue;
  readonly #willing = new WeakMap<RequestContext, ServerResponse>();

  constructor(deps: { queue: WaitingQueue }) {
    this.#queue = deps.queue;
  }

  readonly onRequest: RequestHook = async (request) => {
    if ((request.request.headers[HEADER] ?? request.query.get(PARAMETER)) === 'true') this.#willing.set(request.context, request.response);
    const { group, version, resource, namespace, name, subresource } = request.ref ?? {};
    // Changes of all namespaces are in the list: a right in one of them must not open it.
    if (group !== OWN_GROUP || version !== VERSION || resource !== RESOURCE || namespace !== undefined || subresource !== undefined) return false;
    await respond(request.response, 200, await this.#answer(request, name));
    return true;
  };

  isWilling(context: RequestContext): boolean {
    return this.#willing.has(context);
  }

  /** Tells the client that its change waits. */
  tell(context: RequestContext, id: number): void {
    context.warn?.(`the cloud is away: this change waits for it as number ${id}, see ${WAITING_PATH}`);
    const response = this.#willing.get(context);
    if (response?.headersSent === false) response.setHeader(NUMBER_HEADER, String(id));
  }

  async #answer({ method }: IncomingRequest, name: string | undefined): Promise<object> {
    if (method === 'GET' && name === undefined) {
      return { kind: 'WaitingChangeList', apiVersion: `${OWN_GROUP}/${VERSION}`, metadata: {}, items: this.#queue.all().map(shown) };
    }
    const row = this.#queue.all().find(({ id }) => String(id) === name);
    if (method !== 'GET' && method !== 'DELETE') throw new ApiError('MethodNotAllowed', `${method} is not served for ${WAITING_PATH}`);
    if (name === undefined) throw new ApiError('MethodNotAllowed', 'changes that wait are given up one by one');
    if (row === undefined || (method === 'DELETE' && !(await this.#queue.remove(row.id)))) throw notFound({ resource: RESOURCE, group: OWN_GROUP, name });
    return shown(row);
  }
}

/** What is told of a change: not its body, which may hold secrets. */
function shown({ id, place, api_version: apiVersion, kind, request, phase, user_name: user, tries, added, ended, code, reason, message }: WaitingRow): object {
  const [, namespace = '', name = ''] = place.split('|');
  return {
    kind: 'WaitingChange', apiVersion: `${OWN_GROUP}/${VERSION}`,
    metadata: { name: String(id), creationTimestamp: new Date(added).toISOString() },
    spec: { ...(request === '' ? {} : { verb: (JSON.parse(request) as { verb: string }).verb }), object: { apiVersion, kind, ...(namespace === '' ? {} : { namespace }), name }, user },
    status: { phase, tries, ...(ended === 0 ? {} : { ended: new Date(ended).toISOString() }), ...(code === 0 ? {} : { code }), ...(reason === '' ? {} : { reason }), ...(message === '' ? {} : { message }) },
  };
}
