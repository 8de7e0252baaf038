import { randomUUID } from 'node:crypto';
import { backoffDelay, errorText, isAbort, sleep, type CloudLink, type Logger } from '@edge/core';
import { CLUSTER_SCOPE, Operations, readObjectResponse, ResourceTypes, type KubeNode, type Message } from '@edge/protocol';
import type { MetaClient } from '../apply/meta-client.js';
import { nodeChanges, nodeNews, nodePatchText, type NodeWanted } from '../plan/node-patch.js';
import type { NodeKnown } from './node-known.js';
import { pauseUnlessNewSession } from './session.js';
import { steadyNow } from '../steady-clock.js';

/** Between looks at a machine that cannot run pods at the moment. */
const UNREADY_UPDATE_MS = 1_000;
/** Upstream's pauses between tries to register. */
const REGISTER_RETRY = { firstMs: 100, factor: 2, limitMs: 7_000, jitter: 0.1 };

export interface NodeReporterDeps {
  readonly meta: MetaClient;
  readonly link: CloudLink;
  readonly known: NodeKnown;
  readonly nodeName: string;
  /** False: the node object must be there already. */
  readonly register: boolean;
  /** Milliseconds between looks at the machine. */
  readonly updateMs: number;
  /** Milliseconds after which the status is sent although nothing has changed. */
  readonly reportMs: number;
  /** The node as it is now. */
  readonly wanted: () => Promise<NodeWanted>;
  /** The object to register. */
  readonly object: (wanted: NodeWanted) => KubeNode;
  readonly log: Logger;
}

/** Registers the node and keeps its status in the cloud up to date. */
export class NodeReporter {
  readonly #deps: NodeReporterDeps;
  #registered = false;
  #ready = true;
  #session = 0;
  #sentAt = 0;
  #wake: () => void = () => undefined;
  #inFlight: { readonly id: string; readonly wanted: NodeWanted } | undefined;
  /** What was still different after the last answer, and what stayed so although it was sent again: the API server drops it. */
  #remained = '';
  #dropped = '';

  constructor(deps: NodeReporterDeps) {
    this.#deps = deps;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { link, updateMs, log } = this.#deps;
    while (!signal.aborted) {
      const { session } = link.value;
      try {
        await this.#readStored(signal);
        if (link.value.connected && !this.#registered && this.#deps.register) await this.#register(signal);
        await this.#report();
      } catch (error) {
        if (isAbort(error)) throw error;
        log.warn('node status not reported, tried again', { err: errorText(error) });
      }
      // A node that cannot run pods is waited for.
      const pause = this.#ready ? updateMs : Math.min(updateMs, UNREADY_UPDATE_MS);
      await Promise.race([pauseUnlessNewSession(link, session, pause, signal), this.#woken()]);
    }
  }

  /** Something about the node has changed: look now instead of at the next time. */
  wake(): void {
    this.#wake();
  }

  /** The cloud answered a status patch, of this run of the agent or an earlier one. */
  patchAnswered(message: Message): void {
    const { known, log } = this.#deps;
    const answer = readObjectResponse<KubeNode>(message.content);
    const patch = this.#inFlight?.id === message.header.parentId ? this.#inFlight : undefined;
    if (patch) this.#inFlight = undefined;
    if (answer.error !== undefined) {
      log.warn('the cloud refused the node status', { reason: answer.error.reason ?? '', err: answer.error.message });
      if (answer.error.reason !== 'NotFound') return;
      // Somebody deleted the node: it registers anew.
      known.forget();
      this.#registered = false;
      this.#wake();
      return;
    }
    known.learn(answer.object);
    if (!patch) return;
    const remains = nodeNews(answer.object, patch.wanted);
    if (remains !== '' && remains === this.#remained) this.#dropped = remains;
    this.#remained = remains;
  }

  async #look(): Promise<NodeWanted> {
    const wanted = await this.#deps.wanted();
    this.#ready = wanted.status.conditions.find(({ type }) => type === 'Ready')?.status === 'True';
    return wanted;
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }

  /** The stored node has seen the pushes of the cloud; it is local and cheap to read. */
  async #readStored(signal: AbortSignal): Promise<void> {
    const { meta, nodeName, known } = this.#deps;
    const [row] = await meta.rows(`${CLUSTER_SCOPE}/${ResourceTypes.node}/${nodeName}`, signal);
    if (row !== undefined) known.learn(JSON.parse(row) as KubeNode);
  }

  async #register(signal: AbortSignal): Promise<void> {
    const { meta, nodeName, known, log, link } = this.#deps;
    const { session } = link.value;
    for (let attempt = 0; link.value.connected && link.value.session === session; attempt += 1) {
      const wanted = await this.#look();
      const node = this.#deps.object(wanted);
      const answer = await meta
        .request(Operations.insert, `${CLUSTER_SCOPE}/${ResourceTypes.node}/${nodeName}`, node, signal)
        .then((content) => readObjectResponse<KubeNode>(content))
        .catch((error: unknown) => {
          if (isAbort(error)) throw error;
          return { error: { reason: '', message: errorText(error) } };
        });
      if (answer.error === undefined) {
        log.info('node registered', { node: nodeName });
        this.#registered = true;
        known.learn((answer as { object: KubeNode }).object);
        this.#sentAt = steadyNow();
        this.#session = session;
        return;
      }
      const { reason = '', message } = answer.error;
      if (reason === 'AlreadyExists' || reason === 'Forbidden') {
        log.info('node is known to the cloud already', { node: nodeName, reason });
        this.#registered = true;
        return;
      }
      log.warn('node not registered, tried again', { reason, err: message });
      await sleep(backoffDelay(REGISTER_RETRY, attempt, Math.random()), signal);
    }
  }

  async #report(): Promise<void> {
    const { meta, link, known, nodeName, reportMs } = this.#deps;
    // Without a link it would only wait in the outbox and be old when it goes out; each session begins with a report.
    if (!link.value.connected || (this.#deps.register && !this.#registered)) return;
    const wanted = await this.#look();
    const newSession = this.#session !== link.value.session;
    // Nothing is known of the node: the patch holds everything, and its answer brings the object.
    const base = known.value ?? { metadata: {}, spec: {} };
    const due = newSession || steadyNow() - this.#sentAt >= reportMs;
    const differs = nodeNews(base, wanted);
    const news = differs !== '' && differs !== this.#dropped;
    if (!due && (!news || this.#inFlight)) return;
    const text = nodePatchText(nodeChanges(base, wanted, newSession));
    const id = randomUUID();
    this.#inFlight = { id, wanted };
    this.#sentAt = steadyNow();
    this.#session = link.value.session;
    await meta.send(Operations.patch, `${CLUSTER_SCOPE}/${ResourceTypes.nodePatch}/${nodeName}`, text, id);
  }
}
