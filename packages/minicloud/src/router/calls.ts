import { sleep, withTimeout } from '@edge/core';
import { createMessage, Groups, isFields, Operations, Sources, type Message } from '@edge/protocol';
import { joined, partsOf } from './match.js';
import type { RestRule } from './rules.js';

/** A request to the REST listener, read to its end. */
export interface RestRequest {
  readonly method: string;
  /** Path and query as they came. */
  readonly uri: string;
  /** As Go has them: `Content-Type`, a list each. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly body: Buffer;
}

export interface RestAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly body: Buffer;
}

export interface CallsDeps {
  /** Sends to a node. False: it is away. */
  readonly push: (node: string, message: Message) => boolean;
  readonly timeoutMs: number;
  readonly pauseMs: number;
}

/** How often a request is made, as by CloudCore. */
const ATTEMPTS = 3;

/** Carries requests of the REST listener to nodes, and the answers of their services back. */
export class Calls {
  readonly #deps: CallsDeps;
  readonly #waiting = new Map<string, (answer: Message) => void>();

  constructor(deps: CallsDeps) {
    this.#deps = deps;
  }

  /** A node has answered; nobody may be waiting for it any more. */
  answered(node: string, message: Message): void {
    this.#waiting.get(keyOf(node, message.header.parentId ?? ''))?.(message);
  }

  /**
   * One request, repeated when it fails: as with CloudCore everything but 200 is a failure, and the last word is then 500 with
   * what each attempt came to.
   * @param onFailure told of each attempt that failed
   * @throws EdgeError `core.aborted` when the client has gone
   */
  async carry(rule: RestRule, request: RestRequest, onFailure: (why: string) => void, signal: AbortSignal): Promise<RestAnswer> {
    const failures: string[] = [];
    for (let attempt = 1; ; attempt += 1) {
      const answer = await this.#once(rule, request, signal);
      if (answer.status === 200) return answer;
      const why = answer.body.toString();
      onFailure(why);
      failures.push(`#${attempt}: ${why}`);
      if (attempt === ATTEMPTS) return words(500, `All attempts fail:\n${failures.join('\n')}`);
      await sleep(this.#deps.pauseMs, signal);
    }
  }

  async #once(rule: RestRule, request: RestRequest, signal: AbortSignal): Promise<RestAnswer> {
    const { push } = this.#deps;
    const parts = partsOf(rule, request.uri);
    if (!parts) return words(500, `${request.uri} is too short: it must be /<node>/<namespace>/<path>`);
    const message = rule.to.kind === 'eventbus' ? publication(joined(rule.to.topic, parts.rest), request) : call(`${rule.to.port}:${joined(rule.to.path, parts.rest)}`, request);
    if (rule.to.kind === 'eventbus') return push(parts.node, message) ? words(200, 'message delivered') : away(parts.node);
    const key = keyOf(parts.node, message.header.id);
    const { timeoutMs } = this.#deps;
    try {
      const answer = new Promise<Message>((resolve) => this.#waiting.set(key, resolve));
      if (!push(parts.node, message)) return away(parts.node);
      return readAnswer(await withTimeout(answer, timeoutMs, () => new TimeIsOver(), signal));
    } catch (error) {
      if (error instanceof TimeIsOver) return words(408, `node ${parts.node} did not answer within ${timeoutMs / 1000} s`);
      throw error;
    } finally {
      this.#waiting.delete(key);
    }
  }
}

class TimeIsOver extends Error {}

/** Nobody answers for another node. */
function keyOf(node: string, id: string): string {
  return `${node} ${id}`;
}

/** Source: KubeEdge v1.23, capture 06. The content is always text. */
function publication(topic: string, { body }: RestRequest): Message {
  return createMessage({ source: Sources.routerEventBus, group: Groups.user, operation: Operations.publish, resource: topic, content: body.toString() });
}

/** Source: KubeEdge v1.23, capture 06. */
function call(resource: string, { method, headers, body }: RestRequest): Message {
  return createMessage({
    source: Sources.routerServiceBus, group: Groups.user, operation: method, resource, content: { header: headers, body: body.toString('base64'), method, url: '' },
  });
}

function readAnswer({ content }: Message): RestAnswer {
  const { status_code: status, header, body } = isFields(content) ? content : {};
  if (typeof status !== 'number' || !Number.isInteger(status) || status < 200 || status > 999 || (body !== null && typeof body !== 'string')) return words(500, 'the node sent something that is no answer');
  const headers: Record<string, readonly string[]> = {};
  for (const [name, values] of Object.entries(isFields(header) ? header : {})) {
    if (Array.isArray(values) && values.every((value) => typeof value === 'string')) headers[name] = values as string[];
  }
  return { status, headers, body: Buffer.from(body ?? '', 'base64') };
}

function away(node: string): RestAnswer {
  return words(500, `node ${node} is not connected to this cloud`);
}

export function words(status: number, text: string): RestAnswer {
  return { status, headers: { 'Content-Type': ['text/plain; charset=utf-8'] }, body: Buffer.from(text) };
}
