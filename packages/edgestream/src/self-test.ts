import { request as httpRequest } from 'node:http';
import { errorText, sleep, type Logger, type MessageBus } from '@edge/core';
import { CLUSTER_SCOPE, createMessage, Groups, Modules, Operations, ResourceTypes, type KubeNode } from '@edge/protocol';
import { findKubelet, type KubeletEndpoint } from './kubelet-endpoint.js';
import { outcomeOf, type WayFacts } from './way.js';

/** Where the outcome is read at the Node: `kubectl describe node`. */
const ANNOTATION = 'edge.kubeedge.io/stream';
/** Of each part of the test. */
const PATIENCE_MS = 10_000;
/** CloudCore tries for two minutes. */
const LATER_MS = [10_000, 130_000];

export interface SelfTestDeps {
  readonly bus: MessageBus;
  readonly nodeName: string;
  readonly log: Logger;
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

  /** While the tunnel is open: at once, and again when CloudCore has had the time that it takes to write its port into the Node. Never rejects. */
  async keepTesting(signal: AbortSignal): Promise<void> {
    try {
      await this.opened(signal);
      for (const pause of LATER_MS) {
        await sleep(pause, signal);
        await this.opened(signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** What is behind the open tunnel on this node, and how the cloud calls it. */
  async opened(signal: AbortSignal): Promise<void> {
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
    if (!signal.aborted) await this.#tell({ tunnel: undefined, kubelet: problem, ...(endpoint ? { ownPort: endpoint.port } : {}), ...(named === undefined ? {} : { namedPort: named }) }, signal);
  }

  /** The port of the kubelet API by the Node that metamanager has a copy of. */
  async #namedPort(signal: AbortSignal): Promise<number | undefined> {
    const question = createMessage({ source: Modules.edgeStream, group: Groups.meta, operation: Operations.query, resource: `${CLUSTER_SCOPE}/${ResourceTypes.node}/${this.#deps.nodeName}` });
    const { content } = await this.#deps.bus.request({ module: Modules.metaManager }, question, { timeoutMs: PATIENCE_MS, signal });
    const [row] = Array.isArray(content) ? content : [];
    return typeof row === 'string' ? (JSON.parse(row) as KubeNode).status?.daemonEndpoints?.kubeletEndpoint?.Port : undefined;
  }

  async #tell(facts: WayFacts, signal: AbortSignal): Promise<void> {
    const { well, text } = outcomeOf(facts);
    if (text === this.#told) return;
    this.#told = text;
    const { bus, log } = this.#deps;
    if (well) log.info('self-test of logs and commands: well', { outcome: text });
    else log.warn('self-test of logs and commands: they do not work', { why: text });
    const remark = createMessage({ source: Modules.edgeStream, group: 'edged', operation: Operations.update, resource: 'node/annotations', content: { [ANNOTATION]: text } });
    // Without edged there is nobody who could tell the cloud, and the log has said it.
    if (!signal.aborted && bus.reaches({ module: Modules.edged })) await bus.send({ module: Modules.edged }, remark).catch(() => undefined);
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
