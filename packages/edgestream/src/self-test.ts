import { request as httpRequest } from 'node:http';
import { errorText, sleep, type Logger, type MessageBus } from '@edge/core';
import { CLUSTER_SCOPE, createMessage, Groups, Modules, Operations, ResourceTypes, type KubeNode } from '@edge/protocol';
import { findKubelet, type KubeletEndpoint } from './kubelet-endpoint.js';
import { outcomeOf, type WayFacts } from './way.js';

/** Where the outcome is read at the Node: `kubectl describe node`. */
const ANNOTATION = 'edge.kubeedge.io/stream';
/** Of each part of the test. */
const PATIENCE_MS = 10_000;
/** Between two looks at a kubelet API that does not serve yet. */
const LOOK_MS = 500;

/** When the way is tried, milliseconds. */
export interface SelfTestTimes {
  /** Edged takes a while to start: until then a kubelet API that does not serve is no failure. */
  readonly start: number;
  /** Pauses before it is tried again. By the end of the last one the cloud has written its port into the Node, if it can, and the copy here is of later. */
  readonly again: readonly number[];
}

/** CloudCore tries for two minutes to write its port. */
const TIMES: SelfTestTimes = { start: 30_000, again: [10_000, 130_000] };

export interface SelfTestDeps {
  readonly bus: MessageBus;
  readonly nodeName: string;
  readonly log: Logger;
  /** As CloudCore and edged need it unless given. */
  readonly times?: SelfTestTimes | undefined;
}

/** Tries the way that logs and commands take, as far as it can be tried from here, and says in the log and at the Node what is wrong with it. */
export class SelfTest {
  readonly #deps: SelfTestDeps;
  #told = '';

  constructor(deps: SelfTestDeps) {
    this.#deps = deps;
  }

  /** The tunnel could not be opened. */
  async dialFailed(why: string, signal: AbortSignal): Promise<void> {
    await this.#tell({ tunnel: why, kubelet: undefined }, signal);
  }

  /**
   * While the tunnel is open: as soon as the kubelet API serves, or ought to, and again when CloudCore has had the time that it
   * takes to write its port into the Node. Never rejects.
   */
  async keepTesting(signal: AbortSignal): Promise<void> {
    const { start, again } = this.#deps.times ?? TIMES;
    try {
      await this.#tell(await this.#served(start, signal), signal);
      for (const [at, pause] of again.entries()) {
        await sleep(pause, signal);
        await this.#tell(await this.#look(signal, at === again.length - 1), signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** What is found once the kubelet API serves, or when the time for its start is over. */
  async #served(startMs: number, signal: AbortSignal): Promise<WayFacts> {
    const until = performance.now() + startMs;
    for (;;) {
      const facts = await this.#look(signal);
      if (facts.kubelet === undefined || performance.now() >= until) return facts;
      await sleep(LOOK_MS, signal);
    }
  }

  /**
   * What is behind the open tunnel on this node, and how the cloud calls it.
   * @param isSettled whether a Node that still names the node's own port will go on doing so
   */
  async #look(signal: AbortSignal, isSettled = false): Promise<WayFacts> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
    let endpoint: KubeletEndpoint | undefined;
    let problem: string | undefined;
    try {
      endpoint = await findKubelet(this.#deps.bus, limit);
      problem = await healthOf(endpoint, limit);
    } catch (error) {
      problem = errorText(error);
    }
    const named = await this.#namedPort(limit).catch(() => undefined);
    const says = named !== undefined && (isSettled || named !== endpoint?.port);
    return { tunnel: undefined, kubelet: problem, ...(endpoint ? { ownPort: endpoint.port } : {}), ...(says ? { namedPort: named } : {}) };
  }

  /** The port of the kubelet API by the Node that metamanager has a copy of. */
  async #namedPort(signal: AbortSignal): Promise<number | undefined> {
    const question = createMessage({ source: Modules.edgeStream, group: Groups.meta, operation: Operations.query, resource: `${CLUSTER_SCOPE}/${ResourceTypes.node}/${this.#deps.nodeName}` });
    const { content } = await this.#deps.bus.request({ module: Modules.metaManager }, question, { timeoutMs: PATIENCE_MS, signal });
    const [row] = Array.isArray(content) ? content : [];
    return typeof row === 'string' ? (JSON.parse(row) as KubeNode).status?.daemonEndpoints?.kubeletEndpoint?.Port : undefined;
  }

  async #tell(facts: WayFacts, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const { well, text } = outcomeOf(facts);
    if (text === this.#told) return;
    this.#told = text;
    const { bus, log } = this.#deps;
    if (well) log.info('self-test of logs and commands: well', { outcome: text });
    else log.warn('self-test of logs and commands: they do not work', { why: text });
    const remark = createMessage({ source: Modules.edgeStream, group: 'edged', operation: Operations.update, resource: 'node/annotations', content: { [ANNOTATION]: text } });
    // Without edged there is nobody who could tell the cloud, and the log has said it.
    if (bus.reaches({ module: Modules.edged })) await bus.send({ module: Modules.edged }, remark).catch(() => undefined);
  }
}

/** What is wrong with the kubelet API; undefined when it answers that it is well. */
function healthOf({ host, port, token }: KubeletEndpoint, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    const asked = httpRequest({ host, port, path: '/healthz', headers, agent: false, signal }, (answer) => {
      answer.resume();
      answer.once('close', () => resolve(answer.statusCode === 200 ? undefined : `it answers ${answer.statusCode ?? 0} when it is asked whether it is well`));
    });
    asked.once('error', (error) => resolve(errorText(error)));
    asked.end();
  });
}
